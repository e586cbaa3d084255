"""How our own parts are started: API, steward and workers, each with the same environment."""

from collections.abc import Mapping
from pathlib import Path

from embedded.processes import Part

_API_GRACE_SECONDS = 5
# The worker asks its training for a checkpoint first (FGFI_STOP_GRACE_SECONDS), then reports it.
_WORKER_GRACE_SECONDS = 40.0
# Whoever started the stack as root knows it; that no message can run code is the worker's own setting (JSON only).
_ROOT_IS_KNOWN = "ignore:You're running the worker with superuser privileges"


# Each works in the data folder: nothing that lies where `fgfi up` was started can take the place of what is ours.


def api(environment: Mapping[str, str], folder: Path, host: str, port: int) -> Part:
    """The web server. Open streams are cut after a few seconds; browsers and `fgfi` take them up again."""
    return Part.python(
        "api",
        "uvicorn",
        "--factory",
        "api.main:create_app",
        f"--host={host}",
        f"--port={port}",
        "--no-access-log",
        f"--timeout-graceful-shutdown={_API_GRACE_SECONDS}",
        environment=environment,
        grace=_API_GRACE_SECONDS + 5.0,
        folder=folder,
    )


def steward(environment: Mapping[str, str], folder: Path) -> Part:
    """The loop that relays, reaps and cleans up."""
    return Part.python("steward", "worker.steward", environment=environment, folder=folder)


def worker(environment: Mapping[str, str], folder: Path) -> Part:
    """The worker that trains, one job at a time."""
    return _celery("worker", "jobs", environment, folder)


def checker(environment: Mapping[str, str], folder: Path) -> Part:
    """The worker that checks uploads: beside the other, or an upload would wait for the end of a training."""
    return _celery("checker", "datasets", environment, folder)


def _celery(name: str, queue: str, environment: Mapping[str, str], folder: Path) -> Part:
    return Part.python(
        name,
        "celery",
        "--app=worker.app",
        "--quiet",
        "worker",
        f"--queues={queue}",
        f"--hostname={name}@%h",
        "--loglevel=INFO",
        "--without-gossip",
        "--without-mingle",
        environment={**environment, "PYTHONWARNINGS": _ROOT_IS_KNOWN},
        grace=_WORKER_GRACE_SECONDS,
        folder=folder,
    )

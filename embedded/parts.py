"""How our own parts are started: the API, the steward and the worker, each with the same environment."""

from collections.abc import Mapping
from pathlib import Path

from embedded.processes import Part

_API_GRACE_SECONDS = 5
# The worker asks its training for a checkpoint first (FGFI_STOP_GRACE_SECONDS), then reports it.
_WORKER_GRACE_SECONDS = 40.0


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
    """One worker, one job at a time."""
    return Part.python(
        "worker",
        "celery",
        "--app=worker.app",
        "worker",
        "--concurrency=1",
        "--loglevel=INFO",
        environment=environment,
        grace=_WORKER_GRACE_SECONDS,
        folder=folder,
    )

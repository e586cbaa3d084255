"""The API as a process of its own: how long it takes to its first answer, and the memory it has."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

HOST = "127.0.0.1"
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Api:
    """A process that answers. ready: seconds from its start to its first answer; cpu: those spent on a processor."""

    pid: int
    port: int
    ready: float
    cpu: float

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    def peak(self) -> float:
        """The most memory it ever had, in MiB."""
        return self._status("VmHWM")

    def now(self) -> float:
        """The memory it has, in MiB."""
        return self._status("VmRSS")

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


@contextmanager
def running(environment: Mapping[str, str]) -> Iterator[Api]:
    """The API, started as its container does, for the length of a block."""
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app", "--port", str(port)]
    quiet = subprocess.DEVNULL
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, "--no-access-log"], env={**os.environ, **environment}, stdout=quiet, stderr=quiet
    ) as process:
        try:
            _wait(port)
            yield Api(process.pid, port, time.perf_counter() - began, _cpu(process.pid))
        finally:
            process.terminate()


def compiled(folder: Path) -> Mapping[str, str]:
    """Variables with which Python keeps what it has compiled, as an image has it: the second start is the usual one."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}


def _wait(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        connection = HTTPConnection(HOST, port)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return
        finally:
            connection.close()


def _cpu(pid: int) -> float:
    # After the name in brackets, which may have blanks: utime and stime are the 12th and 13th.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

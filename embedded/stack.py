"""`fgfi up`: the whole service on one machine under one command."""

import os
from pathlib import Path

import httpx

from embedded import folder, leftovers, parts
from embedded.errors import StackError
from embedded.log import Log
from embedded.ports import free_port, why_not_free
from embedded.postgres import START_SECONDS as POSTGRES_START_SECONDS
from embedded.postgres import PostgresServer
from embedded.redis import START_SECONDS as REDIS_START_SECONDS
from embedded.redis import RedisServer
from embedded.supervisor import StopAsked, Supervisor

_API_START_SECONDS = 60.0
_EVERY_HOST = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


def up(data: Path, host: str, port: int) -> None:
    """Run the stack until Ctrl-C or SIGTERM. `port` 0 is any free one. Raises StackError, with nothing left running."""
    with folder.owned(data) as data_folder:
        log = Log()
        if ended := leftovers.end_recorded(data_folder):
            log("fgfi", f"ended {ended} processes that an earlier run had left")
        if reason := why_not_free(host, port):
            raise StackError(
                f"cannot use port {port} on {host} ({reason}): choose another with --port, 0 is any free one"
                if port
                else f"cannot listen on {host} ({reason}): choose an address of this machine with --host"
            )
        port = port or free_port()
        folder.remove_connection(data_folder)
        leftovers.adopt_orphans()
        supervisor = Supervisor(data_folder, log)
        with supervisor.stopping_on_signals():
            try:
                _start(supervisor, data_folder, host, port, log)
                supervisor.watch()
            except StopAsked:
                pass
            finally:
                log("fgfi", "stopping")
                folder.remove_connection(data_folder)
                supervisor.stop()
        log("fgfi", "stopped")


def _start(supervisor: Supervisor, data: Path, host: str, port: int, log: Log) -> None:
    address = "127.0.0.1" if host in _EVERY_HOST else f"[{host}]" if ":" in host else host
    url = f"http://{address}:{port}"
    environment = {
        "FGFI_DATABASE_URL": os.environ.get("FGFI_DATABASE_URL") or _start_postgres(supervisor, data),
        "FGFI_REDIS_URL": os.environ.get("FGFI_REDIS_URL") or _start_redis(supervisor, data),
        "FGFI_STORAGE_URL": os.environ.get("FGFI_STORAGE_URL") or (data / "objects").as_uri(),
        "FGFI_SECRET_KEY": os.environ.get("FGFI_SECRET_KEY") or folder.secret_key(data),
        "FGFI_PUBLIC_URL": os.environ.get("FGFI_PUBLIC_URL") or url,
        "FGFI_WORKER_CACHE": os.environ.get("FGFI_WORKER_CACHE") or str(data / "cache"),
        # Logs for people, not for a collector.
        "FGFI_ENVIRONMENT": os.environ.get("FGFI_ENVIRONMENT") or "development",
    }
    (data / "objects").mkdir(mode=0o700, exist_ok=True)
    # Only now: it loads the whole store, and what keeps the stack from starting should be said before that.
    from embedded.access import Access  # noqa: PLC0415

    gate = Access(environment)
    gate.migrate()
    supervisor.check()
    supervisor.start(parts.api(environment, data, host, port), lambda: _answers(url), _API_START_SECONDS)
    folder.write_connection(data, url, gate.key_for_this_machine(folder.api_key(data)))
    supervisor.start(parts.steward(environment, data))
    supervisor.start(parts.checker(environment, data))
    supervisor.start(parts.worker(environment, data))
    log("fgfi", f"data in {data}")
    log("fgfi", f"ready at {url}")
    log("fgfi", f"log in once with {gate.login_link()}")
    gate.close()


def _start_postgres(supervisor: Supervisor, data: Path) -> str:
    server = PostgresServer(data / "postgres")
    supervisor.start(server.prepare(), server.ready, POSTGRES_START_SECONDS)
    return server.url


def _start_redis(supervisor: Supervisor, data: Path) -> str:
    server = RedisServer(data / "redis")
    supervisor.start(server.prepare(), server.ready, REDIS_START_SECONDS)
    return server.url


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=1.0).is_success
    except httpx.TransportError:
        return False

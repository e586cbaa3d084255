"""A large upload in parts through the API into a folder: seconds, and the API's memory at its peak.

    python -m bench.upload [--gigabytes 10] [--folder /somewhere/with/room]

The archive is made while it is sent and lies nowhere; the store holds it twice while it joins the parts. PostgreSQL and
the API are processes of their own, the client is this one.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import api_process
from client.connection import Connection
from client.parted import Watch
from client.sdk import Fgfi
from embedded import postgres
from store import keys, projects
from store.database import make_engine, make_sessions
from store.migrate import upgrade
from store.settings import Settings

MIB = 2**20
GIB = 2**30
SECRET = "a-measurement-needs-a-secret-of-some-length"  # noqa: S105 - guards nothing
_BLOCK = random.Random(0).randbytes(MIB)


class Made:
    """An archive of any size, made when it is read: what begins like a zip, and noise."""

    media_type = "application/zip"

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """See `client.sources.Source`."""
        while start < end:
            number, within = divmod(start, MIB)
            # No two blocks are alike, so that no file system saves itself the writing.
            block = b"PK\x03\x04" + number.to_bytes(8, "big") + _BLOCK[12:]
            chunk = block[within : within + end - start]
            start += len(chunk)
            yield chunk


@dataclass
class Phases:
    """When the reading beforehand and the sending ended, in seconds of the clock."""

    began: float = field(default_factory=time.perf_counter)
    read: float = 0.0
    sent: float = 0.0

    def watch(self) -> Watch:
        """Notes the time of every step; the last of each stays."""

        def on_read(_: int) -> None:
            self.read = time.perf_counter()

        def on_sent(_: int) -> None:
            self.sent = time.perf_counter()

        return Watch(on_read, on_sent, print)


def _key(settings: Settings) -> str:
    upgrade(settings.database_url)
    engine = make_engine(settings, pool_size=1)
    with make_sessions(engine).begin() as session:
        project = projects.ensure(session).id
        key = keys.create(session, project, "bench", ("submit", "read"), settings.secret_key).token
    engine.dispose()
    return key


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10, help="GiB of the archive (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the store is to be; needs twice the room")
    chosen = parser.parse_args()
    size = int(chosen.gigabytes * GIB)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name, postgres.running(Path(name) / "postgres") as database:
        environment = {
            "FGFI_DATABASE_URL": database,
            "FGFI_REDIS_URL": "redis://127.0.0.1:1/0",
            "FGFI_STORAGE_URL": (Path(name) / "objects").as_uri(),
            "FGFI_SECRET_KEY": SECRET,
        }
        key = _key(Settings.model_validate({k.removeprefix("FGFI_").lower(): v for k, v in environment.items()}))
        with api_process.running(environment) as api, Fgfi.of(Connection(api.url, key)) as service:
            service.datasets()
            before = api.now()
            phases = Phases()
            dataset = service.add_source(Made(size), "bench", phases.watch())
            joined = time.perf_counter()
            print(f"{size / GIB:.1f} GiB as data set {dataset.id}: {dataset.state}")
            rates = (
                ("read and hashed by the client", phases.began, phases.read),
                ("sent in parts, each hashed and on the disk", phases.read, phases.sent),
                ("joined, hashed and on the disk", phases.sent, joined),
            )
            for what, start, end in rates:
                print(f"{what:45} {end - start:7.1f} s {size / MIB / (end - start):7.0f} MiB/s")
            print(f"{'memory of the API before':45} {before:7.0f} MiB")
            print(f"{'memory of the API at its peak':45} {api.peak():7.0f} MiB")


if __name__ == "__main__":
    main()

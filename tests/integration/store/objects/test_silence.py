import socket
import time
from collections.abc import Iterator

import pytest

from store.objects import S3Store, StorageAway


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ALLOW_HTTP"):
            monkeypatch.setenv(name, "true")
        yield S3Store("bucket")


def test_a_silent_server_is_not_ready_within_seconds(silent: S3Store) -> None:
    begun = time.monotonic()
    with pytest.raises(StorageAway):
        silent.ready()
    assert time.monotonic() - begun < 10

"""An object store in whose way something stands: it fails, is slow, or cuts off, while a file says so."""

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from store.objects import ObjectInfo, ObjectStore, StorageAway, Stored

SLOW_SECONDS = 0.5


class FaultyStore:
    """Passes everything on to `inner`. switch: a file that holds `fail`, `slow`, `cut`, `lie` or nothing.

    cut: half of the bytes, then an error. lie: half of the bytes are kept, and all is said to be well.
    """

    def __init__(self, inner: ObjectStore, switch: Path) -> None:
        self._inner = inner
        self._switch = switch

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        size: int | None = None,
        sha256: str | None = None,
        max_bytes: int | None = None,
    ) -> Stored:
        fault = self._fault()
        if fault not in {"cut", "lie"}:
            return self._inner.put(key, chunks, size=size, sha256=sha256, max_bytes=max_bytes)
        content = b"".join(chunks)
        if fault == "lie":
            self._inner.put(key, [content[: len(content) // 2]])
            return Stored(key, len(content), sha256 or "")

        def broken() -> Iterator[bytes]:
            yield content[: len(content) // 2]
            raise StorageAway("the connection was cut off (chaos)")

        return self._inner.put(key, broken(), size=size, sha256=sha256, max_bytes=max_bytes)

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        fault = self._fault()
        chunks = self._inner.get(key, start=start, end=end)
        return self._halved(chunks) if fault == "cut" else chunks

    def head(self, key: str) -> ObjectInfo:
        self._fault()
        return self._inner.head(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self._fault()
        return self._inner.list(prefix)

    def copy(self, source: str, target: str) -> None:
        self._fault()
        self._inner.copy(source, target)

    def delete(self, key: str) -> None:
        self._fault()
        self._inner.delete(key)

    def presign(self, key: str, valid: timedelta, *, filename: str | None = None) -> str | None:
        return self._inner.presign(key, valid, filename=filename)

    def sweep(self, older_than: timedelta = timedelta(days=1)) -> None:
        self._fault()
        self._inner.sweep(older_than)

    def ready(self) -> None:
        self._fault()
        self._inner.ready()

    def __getattr__(self, name: str) -> Any:
        """What has no fault of its own."""
        return getattr(self._inner, name)

    def _fault(self) -> str:
        try:
            fault = self._switch.read_text()
        except FileNotFoundError:
            return ""
        if fault == "fail":
            raise StorageAway("no answer (chaos)")
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        return fault

    def _halved(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk[: len(chunk) // 2]
            raise StorageAway("the connection was cut off (chaos)")

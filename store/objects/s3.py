"""The object store in S3 or anything that speaks it (SeaweedFS, MinIO, R2). Writes are multipart and atomic."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import S3Store as Bucket

from store.errors import ObjectMissing
from store.objects.protocol import CHUNK, Meter, ObjectInfo, Stored, check_key

PART = 8 * 2**20


class S3Store:
    """Objects of one bucket below a prefix. Region, endpoint and credentials come from the AWS_* variables."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket: Any = Bucket(bucket, prefix=prefix or None)

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        size: int | None = None,
        sha256: str | None = None,
        max_bytes: int | None = None,
    ) -> Stored:
        """See `ObjectStore.put`. A stream that breaks or does not verify aborts the multipart upload."""
        meter = Meter(check_key(key), chunks, max_bytes)

        def verified() -> Iterator[bytes]:
            yield from meter
            # Inside the stream: an error here aborts the upload, so that the object never comes to be.
            meter.verify(size, sha256)

        obstore.put(self._bucket, key, verified(), chunk_size=PART)
        return meter.verify(size, sha256)

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.get`."""
        options: Any = {}
        if end is not None:
            if end <= start:
                return iter(())
            options = {"range": (start, end)}
        elif start:
            options = {"range": {"offset": start}}
        try:
            result = obstore.get(self._bucket, check_key(key), options=options)
        except (FileNotFoundError, NotFoundError) as error:
            raise ObjectMissing(f"there is no object '{key}'") from error
        return (bytes(chunk) for chunk in result.stream(min_chunk_size=CHUNK))

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        try:
            return _info(obstore.head(self._bucket, check_key(key)))
        except (FileNotFoundError, NotFoundError) as error:
            raise ObjectMissing(f"there is no object '{key}'") from error

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        for batch in obstore.list(self._bucket, prefix=prefix or None):
            for meta in batch:
                yield _info(meta)

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`."""
        self.head(source)
        obstore.copy(self._bucket, check_key(source), check_key(target))

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        try:
            obstore.delete(self._bucket, check_key(key))
        except (FileNotFoundError, NotFoundError):
            return

    def presign(self, key: str, valid: timedelta, *, filename: str | None = None) -> str | None:  # noqa: ARG002 - obstore signs no headers
        """See `ObjectStore.presign`."""
        link: str = obstore.sign(self._bucket, "GET", check_key(key), valid)
        return link

    def sweep(self) -> None:
        """See `ObjectStore.sweep`: a lifecycle rule of the bucket ends incomplete multipart uploads."""

    def ready(self) -> None:
        """See `ObjectStore.ready`: ask for an object that is not there."""
        try:
            obstore.head(self._bucket, "~ready")
        except (FileNotFoundError, NotFoundError):
            return


def _info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])

"""The object store in S3 or anything that speaks it (SeaweedFS, MinIO, R2). A write is one PUT, or multipart."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import obstore
from obstore.store import S3Store as Bucket

from store.errors import ObjectMissing
from store.objects.answers import RangeOutside, understood
from store.objects.protocol import CHUNK, STALE, Meter, ObjectInfo, Stored, check_key, check_range
from store.objects.s3_parts import S3Parts
from store.objects.signature import sign_again
from store.objects.upload import upload
from store.objects.uploads import Uploads

MIB = 2**20
PART = 8 * MIB
MOST_PARTS = 10_000
LARGEST_COPY = 5 * 2**30
LONGEST_LINK = timedelta(days=7)
# A whole download may take long, a silence in it may not.
_TIMES: Any = {"connect_timeout": "3s", "read_timeout": "60s", "timeout": "24h"}
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=15)}
_AT_ONCE_TIMES: Any = {"connect_timeout": "2s", "timeout": "3s"}
_NO_RETRIES: Any = {"max_retries": 0, "retry_timeout": timedelta(seconds=5)}
_NO_OBJECT = "~ready"


class S3Store:
    """Objects of one bucket below a prefix. Region, endpoint and credentials come from the AWS_* variables.

    part: bytes of a part of a multipart upload; at least 5 MiB, which is S3's own limit.
    """

    def __init__(self, bucket: str, prefix: str = "", *, part: int = PART, largest_copy: int = LARGEST_COPY) -> None:
        self._prefix = prefix
        self._part = part
        self._largest_copy = largest_copy
        self._bucket = _open(bucket, prefix, _TIMES, _RETRIES)
        self._probe = _open(bucket, prefix, _AT_ONCE_TIMES, _NO_RETRIES)
        self.parts = S3Parts(self, self._signed, _secret_key)

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
        part = self._part_for(size or max_bytes or 0)
        passing = iter(meter)
        first = _up_to(passing, part)
        if len(first) <= part:
            stored = meter.verify(size, sha256)
            with understood(key):
                obstore.put(self._bucket, key, first, use_multipart=False)
            return stored

        def verified() -> Iterator[bytes]:
            # Inside the stream: an error here aborts the upload, so that the object never comes to be.
            yield first
            yield from passing
            meter.verify(size, sha256)

        upload(self._bucket, key, verified(), part)
        return meter.verify(size, sha256)

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.get`."""
        check_range(start, end)
        options: Any = {}
        if end is not None:
            if end <= start:
                self.head(key)
                return iter(())
            options = {"range": (start, end)}
        elif start:
            options = {"range": {"offset": start}}
        try:
            with understood(key):
                result = obstore.get(self._bucket, check_key(key), options=options)
        except RangeOutside:
            return iter(())
        return _chunks(key, result)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        try:
            with understood(key):
                return _info(obstore.head(self._bucket, check_key(key)))
        except ObjectMissing:
            # An answer to HEAD has no words: a bucket that is not there looks like an object that is not.
            self.ready()
            raise

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        below = check_key(prefix.removesuffix("/")) if prefix else None
        with understood():
            for batch in obstore.list(self._bucket, prefix=below):
                for meta in batch:
                    yield _info(meta)

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`. What is too large for S3 to copy by itself passes through here."""
        check_key(target)
        found = self.head(source)
        if found.size > self._largest_copy:
            self.put(target, self.get(source), size=found.size)
        elif source != target:
            with understood(source):
                obstore.copy(self._bucket, source, target)

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        try:
            with understood(key):
                obstore.delete(self._bucket, check_key(key))
        except ObjectMissing:
            return

    def presign(self, key: str, valid: timedelta, *, filename: str | None = None) -> str | None:
        """See `ObjectStore.presign`. None for a filename with keys of a machine's role: obstore signs no filenames."""
        if not timedelta(0) < valid <= LONGEST_LINK:
            raise ValueError(f"a link is valid for up to {LONGEST_LINK.days} days, not {valid}")
        link = self._signed(check_key(key), valid)
        if filename is None:
            return link
        secret_key = _secret_key()
        if secret_key is None:
            return None
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        return sign_again(link, secret_key, {"response-content-disposition": disposition})

    def sweep(self, older_than: timedelta = STALE) -> None:
        """See `ObjectStore.sweep`. With keys from a machine's role it is left to a lifecycle rule of the bucket."""
        uploads = self._uploads()
        if uploads is not None:
            oldest = datetime.now(UTC) - older_than
            for left in list(uploads.unfinished()):
                if left.begun < oldest:
                    uploads.abort(left)

    def ready(self) -> None:
        """See `ObjectStore.ready`: ask for an object that is not there, by GET, which says what is missing."""
        try:
            with understood():
                obstore.get(self._probe, _NO_OBJECT)
        except ObjectMissing:
            return

    def _signed(self, key: str, valid: timedelta) -> str:
        with understood(key):
            link: str = obstore.sign(self._bucket, "GET", key, valid)
        return link

    def _uploads(self) -> Uploads | None:
        """The uploads below our prefix; None without keys to ask with."""
        secret_key = _secret_key()
        if secret_key is None:
            return None
        link = self._signed("any", timedelta(minutes=15))
        ours = f"{self._prefix}/" if self._prefix else ""
        return Uploads(link, urlsplit(link).path.removesuffix(f"{ours}any"), ours, secret_key)

    def _part_for(self, expected: int) -> int:
        """Bytes of a part with which so many bytes stay below S3's limit of parts."""
        return max(self._part, -(-expected // MOST_PARTS))


def _open(bucket: str, prefix: str, times: Any, retries: Any) -> Any:
    # Where options are given, obstore does not look at this variable by itself.
    plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"true", "1", "yes", "on"}
    client: Any = {**times, "allow_http": plain}
    return Bucket(bucket, prefix=prefix or None, client_options=client, retry_config=retries)


def _up_to(chunks: Iterator[bytes], limit: int) -> bytes:
    """The first chunks, until they are more than `limit` bytes or all."""
    first = bytearray()
    for chunk in chunks:
        first += chunk
        if len(first) > limit:
            break
    return bytes(first)


def _chunks(key: str, result: Any) -> Iterator[bytes]:
    with understood(key):
        for chunk in result.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)


def _info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])


def _secret_key() -> str | None:
    return os.environ.get("AWS_SECRET_ACCESS_KEY")

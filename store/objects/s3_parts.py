"""Parts in S3: its own multipart uploads, which obstore has no separate calls for, by links that we sign."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from store.errors import NoParts, ObjectMissing
from store.objects.answers import AWAY_HINT, KEYS_HINT, SIGNING_HINT
from store.objects.errors import StorageAway, StorageFull, StorageRefused
from store.objects.parts import Part, missing, read_back
from store.objects.protocol import Meter, Stored, check_key
from store.objects.signature import sign_again

if TYPE_CHECKING:
    from store.objects.s3 import S3Store

# To join thousands of parts a server may take minutes, and says so by blanks before its answer.
_SECONDS = 300
_LARGEST_ANSWER = 16 * 2**20
_ASKING = timedelta(minutes=15)


class S3Parts:
    """See `store.objects.parts.Parts`. Needs the key's secret: the role of a machine cannot sign these links.

    link: signs a link to a key of the store for some time. secret_key: reads the secret, None without one.
    """

    checksum = "md5"
    direct = True

    def __init__(
        self, store: "S3Store", link: Callable[[str, timedelta], str], secret_key: Callable[[], str | None]
    ) -> None:
        self._store = store
        self._link = link
        self._secret_key = secret_key

    def begin(self, key: str) -> str:
        """See `Parts.begin`."""
        answer = ET.fromstring(self._asked("POST", key, {"uploads": ""}))  # noqa: S314 - expat bounds its entities
        token = answer.findtext("{*}UploadId")
        if not token:
            raise StorageAway("the object store began an upload without a name", hint=AWAY_HINT)
        return token

    def put(
        self, key: str, token: str, number: int, chunks: Iterable[bytes], *, size: int, sha256: str | None = None
    ) -> Part:
        """See `Parts.put`. It passes through; one that is not as promised is broken off before its last bytes."""
        meter = Meter(check_key(key), chunks, size)
        md5 = hashlib.md5(usedforsecurity=False)  # What S3 tells of a part.
        broken: list[BaseException] = []

        def verified() -> Iterator[bytes]:
            last = b""
            try:
                for chunk in meter:
                    md5.update(chunk)
                    if last:
                        yield last
                    last = chunk
                meter.verify(size, sha256)
            except BaseException as error:
                broken.append(error)
                raise
            yield last

        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        try:
            self._asked("PUT", key, {"partNumber": str(number), "uploadId": token}, verified(), headers)
        except BaseException:
            # The connection's own errors cover what broke it.
            if broken:
                raise broken[0] from None
            raise
        return Part(number, size, md5.hexdigest())

    def links(self, key: str, token: str, sizes: Sequence[tuple[int, int]], valid: timedelta) -> Sequence[str] | None:
        """See `Parts.links`. Each takes exactly its size: the length is part of what is signed."""
        link, secret = self._link(check_key(key), valid), self._secret()
        return [
            sign_again(
                link,
                secret,
                {"partNumber": str(number), "uploadId": token},
                method="PUT",
                headers={"content-length": str(size)},
            )
            for number, size in sizes
        ]

    def list(self, key: str, token: str) -> Sequence[Part]:
        """See `Parts.list`. Some servers keep what was replaced and list it, too: the newest counts."""
        by_age = sorted(self._listed(key, token), key=lambda timed: timed[0])
        newest = {part.number: part for _, part in by_age}
        return [newest[number] for number in sorted(newest)]

    def join(self, key: str, token: str, parts: Sequence[Part], *, size: int, sha256: str | None = None) -> Stored:
        """See `Parts.join`. What arrived is read back once: S3 knows no sha256 of the whole."""
        lines = "".join(
            f"<Part><PartNumber>{part.number}</PartNumber><ETag>{escape(part.checksum)}</ETag></Part>" for part in parts
        )
        body = f"<CompleteMultipartUpload>{lines}</CompleteMultipartUpload>".encode()
        answer = self._asked("POST", key, {"uploadId": token}, body, {"Content-Type": "application/xml"})
        # This one call may fail with status 200, which was sent before the work was done.
        if b"<Error>" in answer:
            raise StorageAway(f"the object store could not join the parts: {_code(answer)}", hint=AWAY_HINT)
        return read_back(self._store, key, size=size, sha256=sha256)

    def drop(self, key: str, token: str) -> None:
        """See `Parts.drop`."""
        with suppress(ObjectMissing):
            self._asked("DELETE", key, {"uploadId": token})

    def _listed(self, key: str, token: str) -> Iterator[tuple[datetime, Part]]:
        marker = ""
        while True:
            after = {"part-number-marker": marker} if marker else {}
            answer = ET.fromstring(self._asked("GET", key, {"uploadId": token, **after}))  # noqa: S314 - likewise
            for found in answer.iterfind("{*}Part"):
                names = ("LastModified", "PartNumber", "Size", "ETag")
                time, number, size, etag = (found.findtext(f"{{*}}{name}") or "" for name in names)
                yield datetime.fromisoformat(time), Part(int(number), int(size), etag.strip('"'))
            following = answer.findtext("{*}NextPartNumberMarker") or ""
            # A server that says there is more and not where would have us ask for ever.
            if answer.findtext("{*}IsTruncated") != "true" or following in {"", marker}:
                return
            marker = following

    def _secret(self) -> str:
        secret = self._secret_key()
        if secret is None:
            raise NoParts("the object store takes no parts without a secret key", hint=SIGNING_HINT)
        return secret

    def _asked(
        self,
        method: str,
        key: str,
        parameters: dict[str, str],
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        secret = self._secret()
        link = sign_again(self._link(check_key(key), _ASKING), secret, parameters, method=method)
        # An empty body has a length, too: some servers ask for it.
        data = b"" if body is None and method == "POST" else body
        request = Request(link, data=data, headers=headers or {}, method=method)  # noqa: S310 - the operator's endpoint
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - likewise
                content: bytes = answer.read(_LARGEST_ANSWER)
                return content
        except HTTPError as error:
            with error:
                raise _meaning(error, key) from error
        except (URLError, HTTPException, OSError) as error:
            raise StorageAway(f"the object store does not answer about parts: {error}", hint=AWAY_HINT) from error


def _meaning(error: HTTPError, key: str) -> Exception:
    code = _code(error.read(_LARGEST_ANSWER))
    if code in {"NoSuchUpload", "InvalidPart"} or (error.code == 404 and code != "NoSuchBucket"):
        return missing(key)
    if error.code in {401, 403}:
        return StorageRefused(f"the object store refuses our key to write parts: {code}", hint=KEYS_HINT)
    if error.code == 507:
        return StorageFull(f"the object store has no room left: {code}")
    return StorageAway(f"the object store answers {error.code} {code} about parts", hint=AWAY_HINT)


def _code(answer: bytes) -> str:
    return answer.decode(errors="replace").partition("<Code>")[2].partition("</Code>")[0] or "without a code"

"""Multipart uploads that somebody began and never ended: their parts lie in the bucket, seen by nobody, paid for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

from store.objects.answers import AWAY_HINT, KEYS_HINT
from store.objects.errors import StorageAway, StorageRefused
from store.objects.signature import sign_again

_SECONDS = 30
_LARGEST_ANSWER = 16 * 2**20


@dataclass(frozen=True)
class Upload:
    """An unfinished upload of the bucket. key: as the bucket has it, our prefix included."""

    key: str
    upload_id: str
    begun: datetime


class Uploads:
    """The unfinished uploads of one bucket below a prefix, which obstore has no calls for.

    link: any freshly signed link into the bucket. path: the bucket's own, percent-encoded.
    """

    def __init__(self, link: str, path: str, prefix: str, secret_key: str) -> None:
        self._link = link
        self._path = path.rstrip("/")
        self._prefix = prefix
        self._secret_key = secret_key

    def unfinished(self) -> Iterator[Upload]:
        """The uploads of keys that begin with the prefix. Raises StorageAway."""
        position = {"key-marker": "", "upload-id-marker": ""}
        while True:
            markers = {name: value for name, value in position.items() if value}
            link = self._signed({"uploads": "", "prefix": self._prefix, **markers}, "GET", "/")
            answer = ET.fromstring(_asked(link, "GET"))  # noqa: S314 - expat bounds what entities expand to
            for found in answer.iterfind("{*}Upload"):
                begun = datetime.fromisoformat(_text(found, "Initiated"))
                yield Upload(_text(found, "Key"), _text(found, "UploadId"), begun)
            following = {
                "key-marker": _text(answer, "NextKeyMarker"),
                "upload-id-marker": _text(answer, "NextUploadIdMarker"),
            }
            # A server that says there is more and not where would have us ask for ever.
            if _text(answer, "IsTruncated") != "true" or following == position:
                return
            position = following

    def abort(self, upload: Upload) -> None:
        """Let the parts go; an upload that ended meanwhile is fine. Raises StorageAway."""
        place = f"/{quote(upload.key, safe='/-_.~')}"
        _asked(self._signed({"uploadId": upload.upload_id}, "DELETE", place), "DELETE")

    def _signed(self, parameters: dict[str, str], method: str, place: str) -> str:
        path = f"{self._path}{place}" if place != "/" else self._path or "/"
        return sign_again(self._link, self._secret_key, parameters, method=method, path=path)


def _asked(link: str, method: str) -> bytes:
    request = Request(link, method=method)  # noqa: S310 - the address is the operator's own endpoint
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - likewise
            content: bytes = answer.read(_LARGEST_ANSWER)
            return content
    except HTTPError as error:
        with error:
            if error.code == 404 and method == "DELETE":
                return b""
            if error.code in {401, 403}:
                raise StorageRefused("the object store refuses our key to list uploads", hint=KEYS_HINT) from error
            message = f"the object store answers {error.code} about unfinished uploads"
            raise StorageAway(message, hint=AWAY_HINT) from error
    except (URLError, OSError) as error:
        message = f"the object store does not answer about unfinished uploads: {error}"
        raise StorageAway(message, hint=AWAY_HINT) from error


def _text(element: ET.Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""

"""What an S3 server's failure means: obstore's errors as ours, each with the server's own code and words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from store.errors import ObjectMissing
from store.objects.errors import StorageAway, StorageFull, StorageRefused

_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
KEYS_HINT = "Look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and the key's rights on the bucket."
_BUCKET_HINT = "Look at the bucket in FGFI_STORAGE_URL and at AWS_ENDPOINT_URL, or make the bucket."
_PLAIN_HINT = "Look at AWS_ENDPOINT_URL; one that begins with http:// needs AWS_ALLOW_HTTP=true."
SIGNING_HINT = "Give the service a key (AWS_SECRET_ACCESS_KEY); until then send archives whole, to POST /v1/datasets."
AWAY_HINT = "Look at AWS_ENDPOINT_URL, at the server behind it and at the network between."


class RangeOutside(Exception):
    """The range asked for holds no byte of the object."""


@contextmanager
def understood(key: str = "") -> Iterator[None]:
    """Raise ObjectMissing, RangeOutside, StorageRefused, StorageFull or StorageAway for what obstore raises."""
    try:
        yield
    except FileNotFoundError as error:
        if _code(str(error)) == "NoSuchBucket":
            raise StorageRefused("the object store has no such bucket", hint=_BUCKET_HINT) from error
        raise ObjectMissing(f"there is no object '{key}'") from error
    except BaseError as error:
        raise _meaning(error) from error


def _meaning(error: Exception) -> Exception:
    text = str(error)
    code, status = _code(text), _STATUS.search(text)
    said = code or (f"status {status[1]}" if status else text.partition("\n")[0][-200:])
    if status is not None and status[1] == "416":
        return RangeOutside()
    if code == "NoSuchBucket":
        return StorageRefused("the object store has no such bucket", hint=_BUCKET_HINT)
    if status is not None and status[1] in {"401", "403"}:
        return StorageRefused(f"the object store refuses our key: {said}", hint=KEYS_HINT)
    if "builder error" in text:
        return StorageRefused("the object store's address cannot be used", hint=_PLAIN_HINT)
    if (status is not None and status[1] == "507") or code in {"QuotaExceeded", "XMinioStorageFull", "DiskFull"}:
        return StorageFull(f"the object store has no room left: {said}")
    return StorageAway(f"the object store does not answer as it should: {said}", hint=AWAY_HINT)


def _code(text: str) -> str | None:
    found = _CODE.search(text)
    return found[1] if found else None

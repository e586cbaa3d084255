"""The Range header: one range of bytes (RFC 9110, section 14.2)."""

import re
from dataclasses import dataclass
from typing import Literal

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class ByteRange:
    """Bytes from `start` to before `end`."""

    start: int
    end: int


def requested_range(header: str | None, size: int) -> ByteRange | Literal["unsatisfiable"] | None:
    """The range asked for. None: no range, several, or one that cannot be read, for all of which the whole is right."""
    found = _ONE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size  # The last so many bytes.
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    return ByteRange(start, end) if start < end else "unsatisfiable"

"""Server-sent events, read from lines of text (HTML standard, section 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One event of a stream; `last_id` is what to ask from after a break."""

    event: str
    data: str
    last_id: str


def parse(lines: Iterable[str]) -> Iterator[Message]:
    """Yield each complete message; one that a break cut off is dropped, comments (pings) are skipped."""
    event, data, last_id = "", list[str](), ""
    for line in lines:
        if not line:
            if data:
                yield Message(event or "message", "\n".join(data), last_id)
            event, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            event = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last_id = value

"""Server-sent events, read from lines of text (HTML standard, section 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One event of a stream; `last_id` is what to ask from after a break."""

    event: str
    data: str
    last_id: str


class Parser:
    """Takes lines, gives messages: one that a break cuts off is dropped, comments (pings) are skipped."""

    def __init__(self) -> None:
        self._event, self._data, self._last_id = "", list[str](), ""

    def feed(self, line: str) -> Message | None:
        """A line without its end; the message that it completes, if any."""
        if not line:
            event, data = self._event, self._data
            self._event, self._data = "", []
            return Message(event or "message", "\n".join(data), self._last_id) if data else None
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._event = value
        elif field == "data":
            self._data.append(value)
        elif field == "id":
            self._last_id = value
        return None


def parse(lines: Iterable[str]) -> Iterator[Message]:
    """Yield each complete message."""
    parser = Parser()
    for line in lines:
        message = parser.feed(line)
        if message is not None:
            yield message

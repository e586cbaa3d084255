"""A job's stream as it is followed: where one is in it, and how patient with whoever sends it."""

import json

import httpx

from client import sse
from client.http import unreachable
from client.models import StreamEvent

_TRIES = 10
_LONGEST_PAUSE = 10.0


class Following:
    """One reader of one stream, which is asked for again from where it broke off. url: of the service, for messages."""

    def __init__(self, url: str, job_id: str) -> None:
        self.path = f"/v1/jobs/{job_id}/events/stream"
        self._url = url
        self._last_id = ""
        self._before = ""
        self._failures = 0
        self._parser = sse.Parser()

    def headers(self) -> dict[str, str]:
        """What to ask the stream with, from its begin or from where it broke."""
        self._before = self._last_id
        self._parser = sse.Parser()
        headers = {"Accept": "text/event-stream"}
        return {**headers, "Last-Event-ID": self._last_id} if self._last_id else headers

    def hear(self, line: str) -> StreamEvent | None:
        """A line of the stream; the event that it completes, if any."""
        message = self._parser.feed(line)
        if message is None:
            return None
        self._last_id = message.last_id or self._last_id
        return _event(message)

    def pause(self, reason: httpx.TransportError | None) -> float:
        """Seconds to wait after it broke off; reason: None when it just ended. Raises ClientError after ten in vain."""
        self._failures = 0 if self._last_id != self._before else self._failures + 1
        if self._failures == _TRIES:
            raise unreachable(self._url, reason or httpx.TransportError("the stream ended before the job did"))
        return min(0.5 * float(2**self._failures), _LONGEST_PAUSE)


def _event(message: sse.Message) -> StreamEvent | None:
    try:
        content = json.loads(message.data)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    if "kind" in content and isinstance(content.get("data"), dict):
        return StreamEvent.model_validate(content)
    return StreamEvent(kind=message.event, data=content)

"""An upload in parts, several at once, that goes on where an earlier one broke off.

Nothing is remembered on this machine: the service knows an upload by its name, size and sha256, and which parts it has.
"""

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from client.errors import ClientError
from client.http import Http
from client.models import Upload
from client.sources import Source, sha256_of

AT_ONCE = 4
_LINKS = 100
_LINK_TRIES = 4
# The service reads the whole before it answers.
_COMPLETE_SECONDS = 600.0
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Watch:
    """Who is told how it goes: bytes of the source that were read beforehand, bytes that are there, a line to show."""

    on_read: Callable[[int], None]
    on_sent: Callable[[int], None]
    say: Callable[[str], None]


def send(http: Http, source: Source, name: str, watch: Watch, *, sleep: Callable[[float], None] = time.sleep) -> Upload:
    """Send an archive and have it completed; returns the upload, which names its data set. Raises ClientError."""
    promise = {
        "name": name,
        "size": source.size,
        "media_type": source.media_type,
        "sha256": sha256_of(source, watch.on_read),
    }
    upload = Upload.model_validate(http.post_again("/v1/uploads", promise))
    if upload.state == "completed":
        watch.on_sent(source.size)
        return upload
    there = {part.number for part in upload.received if part.size == upload.size_of(part.number)}
    if there:
        watch.say(f"going on with {upload.id}: {len(there)} of {upload.parts} parts are there")
        watch.on_sent(sum(map(upload.size_of, there)))
    missing = [number for number in range(1, upload.parts + 1) if number not in there]
    _send_all(_Sender(http, source, upload, sleep), missing, watch.on_sent)
    return _completed(http, upload, sleep)


def _send_all(sender: "_Sender", numbers: Sequence[int], on_sent: Callable[[int], None]) -> None:
    """Send these parts, some at once. The first error stops it, after the parts under way."""
    waiting = iter(numbers)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="part") as threads:
        under_way: list[Future[int]] = []
        try:
            # Never more than can be sent at once is promised: a part in the queue could not be called off.
            while under_way or (under_way := _more(threads, sender, waiting, AT_ONCE)):
                on_sent(under_way.pop(0).result())
                under_way += _more(threads, sender, waiting, 1)
        finally:
            sender.stop.set()


def _more(threads: ThreadPoolExecutor, sender: "_Sender", waiting: Iterator[int], count: int) -> list[Future[int]]:
    return [threads.submit(sender.send, number) for number in islice(waiting, count)]


class _Sender:
    """Sends single parts: to the store by its links where that works, else through the API."""

    def __init__(self, http: Http, source: Source, upload: Upload, sleep: Callable[[float], None]) -> None:
        self.stop = threading.Event()
        self._http = http
        self._source = source
        self._upload = upload
        self._sleep = sleep
        self._direct = upload.direct
        self._links: dict[int, str] = {}
        self._lock = threading.Lock()

    def send(self, number: int) -> int:
        """Send a part; returns its bytes. Raises ClientError."""
        size = self._upload.size_of(number)
        start = (number - 1) * self._upload.part_size
        content = b"".join(self._source.read(start, start + size))
        if not (self._direct and self._sent_directly(number, content)):
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
            headers = {"Content-Type": "application/octet-stream", "Content-Digest": f"sha-256=:{digest}:"}
            self._http.put(f"/v1/uploads/{self._upload.id}/parts/{number}", content, headers)
        return size

    def _sent_directly(self, number: int, content: bytes) -> bool:
        """Whether the store took it. A store that cannot be reached from here is not tried again."""
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        status: int | None = None
        for attempt in range(_LINK_TRIES):
            if attempt:
                self._sleep(0.5 * 2**attempt)
            if self.stop.is_set():
                raise ClientError("the upload was given up")
            link = self._link(number, fresh=status == 403)
            status = self._http.put_elsewhere(link, content, {"Content-MD5": md5})
            if status is not None and status < 300:
                return True
            if status is None and attempt == 1:
                break
        self._direct = False
        return False

    def _link(self, number: int, *, fresh: bool) -> str:
        """Links come by the page, and are good for an hour."""
        with self._lock:
            if fresh:
                self._links.clear()
            if number not in self._links:
                path = f"/v1/uploads/{self._upload.id}/links"
                page = self._http.get(path, {"first": number, "limit": _LINKS})
                self._links |= {link["number"]: link["url"] for link in page["data"]}
            return self._links[number]


def _completed(http: Http, upload: Upload, sleep: Callable[[float], None]) -> Upload:
    path = f"/v1/uploads/{upload.id}"
    while True:
        try:
            return Upload.model_validate(http.post_again(f"{path}/complete", seconds=_COMPLETE_SECONDS))
        except ClientError as error:
            # Asked once more because the answer was late: the first request is being worked on still.
            if error.code != "wrong_state" or Upload.model_validate(http.get(path)).state not in {
                "joining",
                "completed",
            }:
                raise
        sleep(_LOOK_SECONDS)

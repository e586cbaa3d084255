"""One multipart upload by obstore, in a thread of its own.

obstore asks an iterator for its chunks inside its own event loop, where nothing may call obstore again, as a copy from
bucket to bucket does. So the chunks are made in the caller's thread, and handed over.
"""

import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import obstore

from store.objects.answers import understood

# Chunks on their way: the next is read while obstore takes the last.
WAITING = 2
# Parts under way at once: enough to fill a line, few enough that a slow one brings each home within the read timeout.
CONCURRENT = 4
# How often a caller with a chunk in hand looks whether the upload still lives.
LOOK_SECONDS = 0.2


class _Broken(Exception):
    """Raised inside obstore, which then aborts the upload."""


def upload(bucket: Any, key: str, chunks: Iterable[bytes], part: int) -> None:
    """Write an object in parts of `part` bytes; what `chunks` raises aborts it. Raises that, and as `understood`."""
    waiting: queue.Queue[bytes | None] = queue.Queue(WAITING)
    broken = False

    def arriving() -> Iterator[bytes]:
        while (chunk := waiting.get()) is not None:
            yield chunk
        if broken:
            raise _Broken

    with ThreadPoolExecutor(1, thread_name_prefix="upload") as threads:
        sent = threads.submit(
            obstore.put, bucket, key, arriving(), chunk_size=part, max_concurrency=CONCURRENT, use_multipart=True
        )
        try:
            for chunk in chunks:
                if not _hand_over(waiting, chunk, sent):
                    break
        except BaseException:
            broken = True
            raise
        finally:
            _hand_over(waiting, None, sent)
        with understood(key):
            sent.result()


def _hand_over(waiting: queue.Queue[bytes | None], chunk: bytes | None, sent: Future[Any]) -> bool:
    """Whether somebody is there to take it."""
    while not sent.done():
        try:
            waiting.put(chunk, timeout=LOOK_SECONDS)
        except queue.Full:
            continue
        return True
    return False

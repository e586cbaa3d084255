"""A file of the service on this disk: large ones in ranges side by side, whole and verified or not at all."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from client.errors import ClientError
from client.http import Http, unreachable
from client.models import Artifact

RANGE = 8 * 2**20
CONNECTIONS = 4
_TRIES = 5
_PAUSE = 0.5


class _NoRanges(Exception):
    """Whoever has the file sends it only as a whole."""


class Fetch:
    """One file on its way. on_bytes: counts what has arrived, from several threads."""

    def __init__(
        self, http: Http, url: str, artifact: Artifact, on_bytes: Callable[[int], None], sleep: Callable[[float], None]
    ) -> None:
        self._http = http
        self._url = url
        self._artifact = artifact
        self._on_bytes = on_bytes
        self._sleep = sleep

    def to(self, path: Path) -> Path:
        """Write it. Raises ClientError; then nothing is left."""
        draft = path.with_name(path.name + ".part")
        try:
            if not self._in_ranges(draft):
                self._whole(draft)
            if _sha256(draft) != self._artifact.sha256:
                raise ClientError(f"{self._artifact.name} arrived damaged", hints=("download it again",))
            return draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def _in_ranges(self, draft: Path) -> bool:
        size = self._artifact.size
        if size <= RANGE:
            return False
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            os.truncate(descriptor, size)
            with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="download") as pool:
                starts = range(0, size, RANGE)
                try:
                    list(pool.map(lambda start: self._range(descriptor, start, min(start + RANGE, size)), starts))
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
        except _NoRanges:
            return False
        finally:
            os.close(descriptor)
        return True

    def _range(self, descriptor: int, start: int, end: int) -> None:
        """Bytes from `start` to before `end`; taken up where they broke off."""
        for attempt in range(1, _TRIES + 1):
            reason = httpx.TransportError("the answer ended before the file did")
            try:
                for chunk in self._chunks(start, end):
                    os.pwrite(descriptor, chunk, start)
                    start += len(chunk)
                    self._on_bytes(len(chunk))
            except httpx.TransportError as error:
                reason = error
            if start == end:
                return
            if attempt == _TRIES:
                raise unreachable(self._url, reason) from reason
            self._sleep(_PAUSE * 2**attempt)

    def _chunks(self, start: int, end: int) -> Iterator[bytes]:
        with self._http.stream(self._artifact.content, {"Range": f"bytes={start}-{end - 1}"}) as response:
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                raise _NoRanges
            for chunk in response.iter_bytes():
                yield chunk[: end - start]
                start += len(chunk)
                if start >= end:
                    return

    def _whole(self, draft: Path) -> None:
        try:
            with self._http.stream(self._artifact.content) as response, draft.open("wb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
                    self._on_bytes(len(chunk))
        except httpx.TransportError as error:
            raise unreachable(self._url, error) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""An archive as it arrives: raw body or multipart form, looked at before the first byte is stored."""

from collections.abc import AsyncIterator, Iterator
from email.message import Message
from typing import TYPE_CHECKING

from anyio import from_thread
from anyio.lowlevel import current_token
from fastapi import Request
from python_multipart.multipart import MultipartParser, parse_options_header

from api.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

# A tar says what it is at byte 257; the others in their first four.
PEEK = 512
NOT_AN_ARCHIVE = "Send a zip, tar, tar.gz or tar.zst archive that holds the data set's folder."


async def archive_chunks(request: Request) -> AsyncIterator[bytes]:
    """The archive's bytes, piece by piece. Raises Problem 415 when they cannot be an archive, 422 for a broken form."""
    head = b""
    checked = False
    async for chunk in _content(request):
        if checked:
            yield chunk
            continue
        head += chunk
        if len(head) >= PEEK:
            require_archive(head)
            checked = True
            yield head
    if not checked:
        require_archive(head)
        yield head


def from_any_thread(first: bytes, chunks: AsyncIterator[bytes]) -> Iterator[bytes]:
    """The same chunks for code that is not asynchronous and runs beside the event loop; waits for each in its turn."""
    token = current_token()  # Taken here, in the loop: an object store may read from threads of its own.

    async def following() -> bytes | None:
        return await anext(chunks, None)

    def pull() -> Iterator[bytes]:
        chunk: bytes | None = first
        while chunk is not None:
            yield chunk
            chunk = from_thread.run(following, token=token)

    return pull()


def require_archive(head: bytes) -> None:
    """Check an upload's first bytes. Raises Problem 415."""
    if not head:
        raise Problem(422, "empty_upload", "The upload is empty.", hint=NOT_AN_ARCHIVE)
    if kind(head) is None:
        begins = head[:8].hex(" ")
        detail = f"The upload is no archive: it begins with the bytes {begins}."
        raise Problem(415, "not_an_archive", detail, hint=NOT_AN_ARCHIVE)


def kind(head: bytes) -> str | None:
    """The archive's format by its first bytes: zip, gzip, zstd or tar; None for anything else."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    return "tar" if head[257:262] == b"ustar" else None


def _content(request: Request) -> AsyncIterator[bytes]:
    header = request.headers.get("content-type", "")
    message = Message()
    message["content-type"] = header or "application/octet-stream"
    if message.get_content_type() != "multipart/form-data":
        return request.stream()
    _, options = parse_options_header(header)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Problem(422, "invalid", "The form's Content-Type names no boundary.")
    return _first_file(request, boundary)


async def _first_file(request: Request, boundary: bytes) -> AsyncIterator[bytes]:
    """The content of a form's first part that is a file; other parts are passed over."""
    form = _Form()
    parser = MultipartParser(boundary, form.callbacks())
    try:
        async for chunk in request.stream():
            parser.write(chunk)
            for data in form.take():
                yield data
        parser.finalize()
    except ValueError as error:
        raise Problem(422, "invalid", f"The form cannot be read: {error}") from error
    if not form.seen:
        raise Problem(422, "invalid", "The form holds no file.", hint=NOT_AN_ARCHIVE)


class _Form:
    """Collects what the push parser reports between two chunks of the body."""

    def __init__(self) -> None:
        self.seen = False
        self._in_file = False
        self._name, self._value = b"", b""
        self._data: list[bytes] = []

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._on_data,
            "on_header_field": self._on_name,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
        }

    def take(self) -> list[bytes]:
        data, self._data = self._data, []
        return data

    def _begin(self) -> None:
        self._in_file = False

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        if self._name.lower() == b"content-disposition" and not self.seen:
            _, options = parse_options_header(self._value)
            self._in_file = self.seen = b"filename" in options
        self._name, self._value = b"", b""

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._data.append(data[start:end])

"""Parts in the folder store: files in a folder of their token, out of sight; each is named by its number and sha256."""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import ObjectMissing
from store.objects.parts import Part, missing
from store.objects.protocol import CHUNK, Stored, check_key

if TYPE_CHECKING:
    from store.objects.folder import FolderStore

# No key can name it: a segment of a key has no tilde.
PARTS = "~parts"


class FolderParts:
    """See `store.objects.parts.Parts`. Joining copies: for a while the disk holds the content twice."""

    checksum = "sha256"
    direct = False

    def __init__(self, store: "FolderStore", root: Path) -> None:
        self._store = store
        self._root = root / PARTS

    def begin(self, key: str) -> str:
        """See `Parts.begin`."""
        check_key(key)
        token = secrets.token_hex(16)
        with self._store.failing():
            (self._root / token).mkdir(parents=True)
        return token

    def put(
        self, key: str, token: str, number: int, chunks: Iterable[bytes], *, size: int, sha256: str | None = None
    ) -> Part:
        """See `Parts.put`."""
        folder = self._folder(key, token)
        with self._store.draft(key, chunks, size=size, sha256=sha256, max_bytes=size) as (draft, stored):
            written = draft.stat().st_mtime_ns
            with self._store.failing(key):
                draft.rename(folder / f"{number:05}-{stored.sha256}")
        with self._store.failing(key):
            # Only what is older: of two writers at once one must stay.
            for name, found in self._files(folder):
                if name.startswith(f"{number:05}-") and found.st_mtime_ns < written:
                    (folder / name).unlink(missing_ok=True)
        return Part(number, stored.size, stored.sha256)

    def links(
        self,
        key: str,  # noqa: ARG002 - the protocol's arguments
        token: str,  # noqa: ARG002
        sizes: Sequence[tuple[int, int]],  # noqa: ARG002
        valid: timedelta,  # noqa: ARG002
    ) -> Sequence[str] | None:
        """None: a folder has no links of its own; parts come through the API."""
        return None

    def list(self, key: str, token: str) -> Sequence[Part]:
        """See `Parts.list`."""
        newest: dict[int, tuple[int, Part]] = {}
        with self._store.failing(key):
            for name, found in self._files(self._folder(key, token)):
                number, _, sha256 = name.partition("-")
                part = Part(int(number), found.st_size, sha256)
                newest[part.number] = max(
                    newest.get(part.number, (-1, part)), (found.st_mtime_ns, part), key=lambda timed: timed[0]
                )
        return [newest[number][1] for number in sorted(newest)]

    def join(self, key: str, token: str, parts: Sequence[Part], *, size: int, sha256: str | None = None) -> Stored:
        """See `Parts.join`."""
        folder = self._folder(key, token)

        def content() -> Iterator[bytes]:
            for part in parts:
                with self._store.failing(key):
                    file = (folder / f"{part.number:05}-{part.checksum}").open("rb", buffering=0)
                with file:
                    while chunk := file.read(CHUNK):
                        yield chunk

        stored = self._store.put(key, content(), size=size, sha256=sha256)
        self.drop(key, token)
        return stored

    def drop(self, key: str, token: str) -> None:
        """See `Parts.drop`."""
        with suppress(ObjectMissing):
            folder = self._folder(key, token)
            # By one rename: a part that arrives now finds nothing to lie in, instead of a folder half removed.
            doomed = self._root / f"{token}-dropped"
            with self._store.failing(key):
                folder.rename(doomed)
        shutil.rmtree(self._root / f"{token}-dropped", ignore_errors=True)

    def sweep(self, oldest: datetime) -> None:
        """Remove the parts of tokens that nobody has added to since."""
        with suppress(FileNotFoundError):
            for folder in self._root.iterdir():
                with suppress(FileNotFoundError):
                    if datetime.fromtimestamp(folder.stat().st_mtime, UTC) < oldest:
                        shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, key: str, token: str) -> Path:
        check_key(key)
        folder = self._root / token
        if not (len(token) == 32 and token.isalnum() and folder.is_dir()):
            self._store.ready()
            raise missing(key)
        return folder

    @staticmethod
    def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # Another took its place.
                    yield entry.name, entry.stat(follow_symlinks=False)

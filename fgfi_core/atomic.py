"""Files that are whole or not there: written beside their place, brought to disk, and only then put into it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a draft in `path`'s folder (made if needed), which takes its place at the end of the block.

    After an error nothing is left of the draft and `path` is as it was. Whoever holds the file that was there before,
    open or by a link, keeps its content. Raises OSError, also for what the disk refuses only late.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")

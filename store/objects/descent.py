"""Folders below a root, reached by descriptors step by step: no link on the way is followed, not even a new one."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from store.objects.errors import StorageAway

HINT = "Look at the disk, the mount and the rights of the storage folder."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def opened(root: Path, names: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """The descriptor of the folder `root/names...` for the length of a block.

    make: make what is missing, each folder safely on the disk before anything lies in it. Raises StorageAway without a
    root; FileNotFoundError for a missing folder; NotADirectoryError for a link or a file in a folder's place.
    """
    try:
        here = os.open(root, _FOLDER)
    except OSError as error:
        raise StorageAway(f"the storage folder '{root}' cannot be opened: {error.strerror}", hint=HINT) from error
    try:
        for name in names:
            if make:
                _make(here, name)
            below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def prune(root: Path, names: Sequence[str]) -> None:
    """Remove the folder `root/names...` and those above it as far as they are empty."""
    for depth in range(len(names) - 1, -1, -1):
        try:
            with opened(root, names[:depth]) as above:
                os.rmdir(names[depth], dir_fd=above)
        except OSError:  # Not empty, or gone already.
            return


def _make(here: int, name: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=here)
    # Also for a folder that was there: whoever made it may not have come to this yet.
    os.fsync(here)

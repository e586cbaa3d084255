"""Decoded and resized images, kept while they fit a budget: after the first epoch no file is decoded again."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data import images
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame

DEFAULT_BUDGET = 2**30


class ImageCache:
    """Images of a list of examples in one frame, [H, W, 3] uint8 RGB.

    budget: bytes; a list that does not fit is not kept at all, as an epoch visits everything once and would
    evict each image just before its next use. shared: keep them in a file that several processes map, for workers.
    """

    def __init__(
        self, examples: Sequence[Example], frame: Frame, *, budget: int = DEFAULT_BUDGET, shared: bool
    ) -> None:
        self._paths = [example.path for example in examples]
        self._frame = frame
        self._shape = (len(examples), frame.size[1], frame.size[0], 3)
        self._file: Path | None = None
        self._store: NDArray[np.uint8] | None = None
        self._filled: NDArray[np.uint8] | None = None
        size = int(np.prod(self._shape)) + len(examples)
        if not 0 < size <= budget:
            return
        if shared:
            self._file = _reserve(size)
            self._map()
        else:
            # Zeros are lazy pages: memory is taken as images arrive.
            self._store, self._filled = np.zeros(self._shape, np.uint8), np.zeros(len(examples), np.uint8)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Return one image; treat it as read-only. Raises BadData when it cannot be decoded."""
        if self._store is None or self._filled is None:
            return images.framed(self._paths[index], self._frame)
        if not self._filled[index]:
            # Two workers may do this at once; both write the same bytes, and the mark comes after them.
            self._store[index] = images.framed(self._paths[index], self._frame)
            self._filled[index] = 1
        return np.asarray(self._store[index])

    def close(self) -> None:
        """Give the memory back and remove the shared file."""
        self._store = self._filled = None
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _map(self) -> None:
        if self._file is not None:
            count, pixels = self._shape[0], int(np.prod(self._shape))
            self._filled = np.memmap(self._file, np.uint8, "r+", offset=0, shape=(count,))
            self._store = np.memmap(self._file, np.uint8, "r+", offset=count, shape=(pixels,)).reshape(self._shape)

    def __getstate__(self) -> dict[str, object]:
        """A worker receives the file's name and maps it anew; a private cache arrives empty."""
        state = dict(self.__dict__)
        state["_store"] = state["_filled"] = None
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._map()


def _reserve(size: int) -> Path | None:
    """Return a temporary file whose blocks are taken now: writing to a map of a full disk would kill the process."""
    descriptor, name = tempfile.mkstemp(prefix="fgfi-images-")
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.truncate(descriptor, size)
    except OSError:
        Path(name).unlink()
        return None
    finally:
        os.close(descriptor)
    return Path(name)

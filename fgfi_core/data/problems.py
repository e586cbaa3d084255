"""What a reader finds on its way, collected; and the data set that comes of it, or the reason why none does."""

import math
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal

from fgfi_core.data.dataset import Dataset, Example, Problem
from fgfi_core.errors import BadData

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def shown(value: object) -> str:
    """A value out of a stranger's file, fit for a message: quoted, on one line, short however deep or long it is."""
    return _SHORT.repr(value)


def number(word: str, name: str) -> float:
    """A finite number out of a text file. Raises ValueError, which calls it `name`."""
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {shown(word)}, not a number")
    return value


class Problems:
    """Problems in the order of their finding.

    An error is an image that has to be left out; a warning a box that was dropped or clipped, or a doubt.
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    @property
    def found(self) -> tuple[Problem, ...]:
        """All of them."""
        return tuple(self._found)

    def error(self, file: str, line: int | None, message: str) -> None:
        """Note what costs an image."""
        self._note("error", file, line, message)

    def warning(self, file: str, line: int | None, message: str) -> None:
        """Note what costs a box, or is doubtful."""
        self._note("warning", file, line, message)

    def refused(self, file: str, error: BadData) -> None:
        """Note that a file could not be read, and why."""
        message = error.message.removeprefix(f"{file}: ").removeprefix(f"{PurePosixPath(file).name}: ")
        self.error(file, None, message.removesuffix("."))

    def _note(self, severity: Literal["warning", "error"], file: str, line: int | None, message: str) -> None:
        self._found.append(Problem(severity, file, line, message))

    def dataset(
        self, name: str, classes: Sequence[str], splits: Mapping[str, Sequence[Example]], lists: Mapping[str, str]
    ) -> Dataset:
        """The data set of this format `name`. lists: the file that says what is in each split.

        Raises BadData when a split has no image, or no image has a box.
        """
        first = f"First problem: {self._found[0]}." if self._found else ""
        for split, examples in splits.items():
            if not examples:
                raise BadData(f"{lists[split]}: no usable image in this split.", hint=first)
        if not any(len(example.boxes) for examples in splits.values() for example in examples):
            raise BadData("The data set has no usable box in any image.", hint=first)
        kept = {split: tuple(examples) for split, examples in splits.items()}
        return Dataset(format=name, classes=tuple(classes), splits=kept, problems=self.found)

"""The folder that a conversion writes: images under names that the target can hold, texts, and what was lost."""

import errno
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from fgfi_core.data import images
from fgfi_core.data.convert import names
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.errors import BadData

Copy = Literal["copy", "link"]


@dataclass(frozen=True)
class Loss:
    """Something the target's format cannot say, and how many there were of it."""

    what: str
    count: int


class Output:
    """The folder `root`, written through names relative to it."""

    def __init__(self, root: Path, copy: Copy) -> None:
        self.root = root
        self.losses: list[Loss] = []
        self.renamed: dict[str, str] = {}
        self._copy = copy
        self._taken: dict[str, names.Unique] = {}

    def image(self, example: Example, folder: str, *, one_word: bool = False) -> PurePosixPath:
        """Put an image into a folder, bytes unchanged; returns its name.

        Labels are told from images by their stem, so no two images of a folder share one. one_word: blanks in its name
        are replaced, for formats whose lists are divided by them.
        """
        stem, suffix = names.file(example.path, images.suffix, one_word=one_word)
        stem = self._taken.setdefault(folder, names.Unique(any_case=True)).of(stem)
        name = PurePosixPath(folder, stem + suffix)
        if name.name != example.path.name:
            self.renamed[example.image_id] = name.as_posix()
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._copy == "copy":
            shutil.copyfile(example.path, target)
        else:
            _link(example.path, target)
        return name

    def text(self, name: str, content: str) -> None:
        """Write a text file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")

    def lines(self, name: str, content: Iterable[str]) -> None:
        """Write a text file with these lines."""
        self.text(name, "".join(f"{line}\n" for line in content))

    def lose(self, what: str, count: int) -> None:
        """Note what cannot be said; nothing when there is none of it."""
        if count:
            self.losses.append(Loss(what, count))

    def classes(self, dataset: Dataset) -> tuple[str, ...]:
        """The classes' names as any format can hold them, in their order."""
        kept = names.classes(dataset.classes)
        changed = [f"{old!a} is {new!a}" for old, new in zip(dataset.classes, kept, strict=True) if old != new]
        self.lose(f"names of classes: {', '.join(changed)}", len(changed))
        return kept


def distinct(dataset: Dataset) -> list[Example]:
    """Each image once, in the order of the splits."""
    return list({example.image_id: example for split in dataset.splits.values() for example in split}.values())


def lose_areas(output: Output, examples: Iterable[Example]) -> None:
    """Note the outlines' areas, which only COCO holds."""
    count = 0
    for example in examples:
        sides = example.boxes[:, 2:].astype(np.float64) - example.boxes[:, :2]
        count += int((~np.isclose(example.area, sides.prod(axis=1), rtol=1e-5, atol=0)).sum())
    output.lose("areas of outlines; the boxes' areas take their place", count)


def lose_occlusion(output: Output, examples: Iterable[Example], rest: str = "") -> None:
    """Note occlusion and truncation, which only KITTI holds. rest: what stays of them."""
    seen = list(examples)
    output.lose(f"occlusions{rest}", sum(int((example.occlusion != 0).sum()) for example in seen))
    output.lose(f"truncations{rest}", sum(int((example.truncation != 0).sum()) for example in seen))


def lose_ignored(output: Output, examples: Iterable[Example]) -> None:
    """Note the regions to ignore, which only KITTI holds."""
    output.lose("regions to ignore (KITTI's DontCare)", sum(len(example.ignored) for example in examples))


def _link(source: Path, target: Path) -> None:
    try:
        # The file itself: a link to a link would lead out of the data set.
        os.link(source.resolve(), target)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}:
            raise
        raise BadData(f"{source.name}: cannot be linked: {error.strerror}.", hint="Copy the images instead.") from error

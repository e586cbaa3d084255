"""The YOLO layout of Ultralytics: data.yaml, images/<split>/ and labels/<split>/*.txt.

A label has a line `class cx cy w h` for each box, in shares of the image's width and height. The label of an image is
where its path has `labels` for its last `images`; an image without one has no objects. The layout train/images,
train/labels falls under the same rule, and splits may be lists of images.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from fgfi_core.data import images, yolo_config
from fgfi_core.data.boxes import Box, fit
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.folder import Folder
from fgfi_core.data.problems import Problems, number, shown
from fgfi_core.errors import BadData

CONFIG = "data.yaml"
IMAGES, LABELS = "images", "labels"
COLUMNS = 5
# Share of a side by which an edge may lie outside the image; beyond it the numbers mean something else.
OVERSHOOT = 0.1


def found(root: Path) -> bool:
    """Tell whether a folder looks like YOLO's."""
    return (root / CONFIG).is_file()


def scan(root: Path) -> Dataset:
    """Read a YOLO folder and keep going: what is unusable is left out and listed in `problems`.

    Raises BadData when data.yaml cannot be understood, or nothing is there to read: an empty split, no boxes.
    """
    return _Reader(root).read()


class _Reader:
    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.problems = Problems()
        self.config = yolo_config.read(self.folder, CONFIG)
        self.examples: dict[str, Example | None] = {}

    def read(self) -> Dataset:
        splits = {}
        for split, places in self.config.splits.items():
            names = list(dict.fromkeys(name for place in places for name in self._images(place)))
            if names and not any(self.folder.has(label_of(name)) for name in names):
                self.problems.warning(CONFIG, None, f"{split}: no image has a label; looked for {label_of(names[0])}")
            splits[split] = [example for name in names if (example := self._example(name)) is not None]
        return self.problems.dataset("yolo", self.config.classes, splits, self._lists())

    def _lists(self) -> dict[str, str]:
        return {split: ", ".join(places) for split, places in self.config.splits.items()}

    def _images(self, place: str) -> Iterator[str]:
        """Names of the images in a folder or on a list."""
        if self.folder.has_folder(place):
            yield from self.folder.walk(place, images.SUFFIXES)
            return
        seen: dict[str, int] = {}
        for at, line in enumerate(self.folder.text(place).splitlines(), 1):
            name = PurePosixPath(place).parent.joinpath(line.strip()).as_posix()
            try:
                if not line.strip():
                    continue
                if name in seen:
                    message = f"image {shown(line.strip())} is listed twice; first on {seen[name]}"
                    self.problems.warning(place, at, message)
                elif not self.folder.has(name):
                    self.problems.error(place, at, f"there is no image {shown(name)}")
                else:
                    seen[name] = at
                    yield name
            except BadData as error:
                self.problems.error(place, at, error.message.removesuffix("."))

    def _example(self, name: str) -> Example | None:
        if name not in self.examples:
            self.examples[name] = self._read(name)
        return self.examples[name]

    def _read(self, name: str) -> Example | None:
        label = label_of(name)
        reading = name
        try:
            path = self.folder.file(name)
            size = images.size(path)
            reading = label
            lines = self.folder.lines(label) if self.folder.has(label) else []
        except BadData as error:
            self.problems.refused(reading, error)
            return None
        boxes, labels = [], []
        for at, words in lines:
            try:
                class_, raw = _parse(words, size, len(self.config.classes))
            except ValueError as wrong:
                self.problems.error(label, at, str(wrong))
                return None
            box, said = fit(raw, size)
            if said:
                self.problems.warning(label, at, f"box ({' '.join(words[1:])}) {said}")
            if box is not None:
                boxes.append(box)
                labels.append(class_)
        return Example(
            image_id=name,
            path=path,
            width=size[0],
            height=size[1],
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            labels=np.array(labels, np.int64),
            difficult=np.zeros(len(labels), np.bool_),
        )


def label_of(image: str) -> str:
    """Name of the label of an image; both relative to the data set's folder."""
    path = PurePosixPath(image).with_suffix(".txt")
    parts = list(path.parts)
    if IMAGES in parts[:-1]:
        parts[len(parts) - 2 - parts[-2::-1].index(IMAGES)] = LABELS
    return "/".join(parts)


def _parse(words: Sequence[str], size: tuple[int, int], classes: int) -> tuple[int, Box]:
    """Class and box in xyxy pixels, not clipped. Raises ValueError."""
    if len(words) > COLUMNS + 1 and len(words) % 2:
        raise ValueError(f"{len(words)} numbers are a polygon; only boxes are read: class cx cy w h")
    if len(words) != COLUMNS:
        raise ValueError(f"{COLUMNS} numbers are expected, class cx cy w h, found {len(words)}")
    class_ = number(words[0], "class")
    if not class_.is_integer() or not 0 <= class_ < classes:
        raise ValueError(f"class is {shown(words[0])}; {CONFIG} names the classes 0 to {classes - 1}")
    cx, cy, w, h = (number(word, side) for word, side in zip(words[1:], ("cx", "cy", "w", "h"), strict=True))
    edges = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    if min(edges) < -OVERSHOOT or max(edges) > 1 + OVERSHOOT:
        shares = "are they shares of the image's sides, from 0 to 1?"
        raise ValueError(f"box {' '.join(words[1:])} lies outside the image; {shares}")
    x1, y1, x2, y2 = (edge * side for edge, side in zip(edges, (*size, *size), strict=True))
    return int(class_), (x1, y1, x2, y2)

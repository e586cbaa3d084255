"""KITTI's object benchmark: training/image_2/*, training/label_2/*.txt and ImageSets/*.txt with one id a line.

Columns 5 to 8 of a label are left, top, right, bottom in pixels from 0. The devkit measures `right - left` without
adding 1, so they are continuous coordinates already and are kept as they are.
Classes are those the benchmark scores, in its order; names are compared without case, as the devkit does.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fgfi_core.data import images, lists
from fgfi_core.data.boxes import Box, fit
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.folder import Folder
from fgfi_core.data.problems import Problems, number, shown
from fgfi_core.errors import BadData

IMAGES, LABELS, LISTS = "training/image_2", "training/label_2", "ImageSets"
# The usual lists name the benchmark's own test frames in test.txt: other images of the same ids, without labels.
TEST_IMAGES, TEST_LIST = "testing", "test"
COLUMNS = 15

CLASSES = ("Car", "Pedestrian", "Cyclist")
# The benchmark neither rewards nor punishes a van found as a car or a sitting person as a pedestrian. Difficult boxes
# of the class they resemble are just that: evaluation ignores what hits them, training does not learn them as objects.
_NEIGHBOURS = ("van", "person_sitting")
_LABELS = {"car": 0, "pedestrian": 1, "cyclist": 2, "van": 0, "person_sitting": 1}
_IGNORED = "dontcare"
_BACKGROUND = ("truck", "tram", "misc")


class _Object(NamedTuple):
    kind: str
    box: Box
    occlusion: int
    truncation: float


def found(root: Path) -> bool:
    """Tell whether a folder looks like KITTI's; its download has no lists, so they are asked for by name, later."""
    return all((root / part).is_dir() for part in (IMAGES, LABELS))


def scan(root: Path) -> Dataset:
    """Read a KITTI folder and keep going: what is unusable is left out and listed in `problems`.

    Raises BadData when nothing can be read at all: no lists, an empty split, no boxes.
    """
    return _Reader(root).read()


class _Reader:
    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.problems = Problems()
        self.images = self.folder.by_stem(IMAGES, images.SUFFIXES)
        self.labels = self.folder.by_stem(LABELS, (".txt",))
        self.unknown: Counter[str] = Counter()
        self.background: Counter[str] = Counter()

    def read(self) -> Dataset:
        splits = lists.read(self.folder, LISTS, self.problems)
        if TEST_LIST in splits and self.folder.has_folder(TEST_IMAGES):
            del splits[TEST_LIST]
        examples: dict[str, Example | None] = {}
        for name, ids in splits.items():
            for image_id, line in ids.items():
                if image_id not in examples:
                    examples[image_id] = self._example(image_id, f"{LISTS}/{name}.txt", line)
        for kind, count in self.unknown.items():
            boxes = "1 box" if count == 1 else f"{count} boxes"
            self.problems.warning(LABELS, None, f"{boxes} of the unknown type {shown(kind)}; taken as background")
        kept = {name: [e for i in ids if (e := examples[i]) is not None] for name, ids in splits.items()}
        dataset = self.problems.dataset("kitti", CLASSES, kept, {name: f"{LISTS}/{name}.txt" for name in splits})
        return replace(dataset, background=self.background + self.unknown)

    def _example(self, image_id: str, listed_in: str, line: int) -> Example | None:
        image, label = self.images.get(image_id), self.labels.get(image_id)
        for place, file in ((IMAGES, image), (LABELS, label)):
            if file is None:
                self.problems.error(listed_in, line, f"there is no file for {shown(image_id)} in {place}")
        if image is None or label is None:
            return None
        reading = image
        try:
            path = self.folder.file(image)
            width, height = images.size(path)
            reading = label
            objects = self._objects(label, (width, height))
        except BadData as error:
            self.problems.refused(reading, error)
            return None
        return None if objects is None else _make(image_id, path, (width, height), objects)

    def _objects(self, file: str, size: tuple[int, int]) -> list[_Object] | None:
        """Every object of a known type, clipped; None when a line cannot be understood."""
        objects = []
        for line, words in self.folder.lines(file):
            try:
                kind, raw, occlusion, truncation = _parse(words)
            except ValueError as error:
                self.problems.error(file, line, str(error))
                return None
            if kind not in _LABELS and kind != _IGNORED:
                (self.background if kind in _BACKGROUND else self.unknown)[words[0]] += 1
                continue
            box, said = fit(raw, size)
            if said:
                place = f"box of '{words[0]}' ({', '.join(f'{side:g}' for side in raw)})"
                self.problems.warning(file, line, f"{place} {said}")
            if box is not None:
                objects.append(_Object(kind, box, occlusion, truncation))
        return objects


def _parse(words: Sequence[str]) -> _Object:
    """Raises ValueError with what is wrong."""
    if len(words) != COLUMNS:
        score = "; a column more is a score: detections, not labels" if len(words) == COLUMNS + 1 else ""
        raise ValueError(f"{COLUMNS} columns are expected, found {len(words)}{score}")
    truncation, occlusion = number(words[1], "truncation"), number(words[2], "occlusion")
    if truncation != -1 and not 0 <= truncation <= 1:
        raise ValueError(f"truncation is {shown(words[1])}, not from 0 to 1, or -1 for unknown")
    if occlusion not in {-1, 0, 1, 2, 3}:
        raise ValueError(f"occlusion is {shown(words[2])}, not 0, 1, 2, 3, or -1 for unknown")
    left, top, right, bottom = (
        number(word, side) for word, side in zip(words[4:8], ("left", "top", "right", "bottom"), strict=True)
    )
    return _Object(words[0].lower(), (left, top, right, bottom), int(occlusion), truncation)


def _make(image_id: str, path: Path, size: tuple[int, int], objects: Sequence[_Object]) -> Example:
    ignored = [o.box for o in objects if o.kind == _IGNORED]
    kept = [o for o in objects if o.kind != _IGNORED]
    return Example(
        image_id=image_id,
        path=path,
        width=size[0],
        height=size[1],
        boxes=np.array([o.box for o in kept], np.float32).reshape(-1, 4),
        labels=np.array([_LABELS[o.kind] for o in kept], np.int64),
        difficult=np.array([o.kind in _NEIGHBOURS for o in kept], np.bool_),
        occlusion=np.array([o.occlusion for o in kept], np.int64),
        truncation=np.array([o.truncation for o in kept], np.float32),
        ignored=np.array(ignored, np.float32).reshape(-1, 4),
    )

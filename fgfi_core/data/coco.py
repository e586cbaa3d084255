"""COCO: annotations/instances_<split>.json or annotations/<split>.json, and the images beside them.

An image is looked for in <split>/, images/<split>/, images/ and the folder itself, in this order. Boxes (x, y, width,
height) are continuous and from 0; classes are the categories of all files in order of id. Widths and heights come from
the images, the file's are compared with them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data import coco_annotations, coco_file, images
from fgfi_core.data.boxes import fit_all
from fgfi_core.data.coco_file import CocoFile, Entry
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.folder import Folder
from fgfi_core.data.problems import Problems, shown
from fgfi_core.errors import BadData

ANNOTATIONS, IMAGES = "annotations", "images"
PREFIX = "instances_"
# What else the public data set keeps there; none of it is boxes to detect.
OTHERS = ("captions_", "image_info_", "panoptic_", "person_keypoints_", "stuff_")


def found(root: Path) -> bool:
    """Tell whether a folder looks like COCO."""
    folder = root / ANNOTATIONS
    return folder.is_dir() and any(_is_ours(path.stem) for path in folder.glob("*.json"))


def scan(root: Path) -> Dataset:
    """Read a COCO folder and keep going: what is unusable is left out and listed in `problems`.

    Raises BadData when a file is not COCO's JSON, when files disagree about categories, or when nothing is there to
    read: an empty split, no boxes.
    """
    folder, problems = Folder(root), Problems()
    files = _files(folder)
    contents = {
        split: coco_file.parse(folder.read(file, coco_file.MAX_BYTES), file, problems) for split, file in files.items()
    }
    categories = _agreed({files[split]: content for split, content in contents.items()})
    index = {key: i for i, key in enumerate(categories)}
    splits = {
        split: _Split(folder, split, files[split], content, problems).examples(index)
        for split, content in contents.items()
    }
    return problems.dataset("coco", list(categories.values()), splits, files)


def _is_ours(stem: str) -> bool:
    return not stem.startswith((".", *OTHERS))


def _files(folder: Folder) -> dict[str, str]:
    files: dict[str, str] = {}
    for stem, file in sorted(folder.by_stem(ANNOTATIONS, (".json",)).items()):
        split = stem.removeprefix(PREFIX)
        if not _is_ours(stem):
            continue
        if split in files:
            raise BadData(f"{files[split]} and {file} are both of the split '{split}'.", hint="Remove one of them.")
        files[split] = file
    return files


def _agreed(files: Mapping[str, CocoFile]) -> dict[int, str]:
    """All categories in order of id. Raises BadData when two files mean different things by one id or name."""
    by_id: dict[int, tuple[str, str]] = {}
    by_name: dict[str, tuple[int, str]] = {}
    for file, content in files.items():
        for key, name in content.categories.items():
            other_name, first = by_id.setdefault(key, (name, file))
            if other_name != name:
                message = f"category {key} is {shown(other_name)} in {first} and {shown(name)} in {file}."
                raise BadData(message, hint="Give each category one id and one name in all files.")
            other_key, first = by_name.setdefault(name, (key, file))
            if other_key != key:
                message = f"category {shown(name)} has the id {other_key} in {first} and {key} in {file}."
                raise BadData(message, hint="Give each category one id and one name in all files.")
    return {key: by_id[key][0] for key in sorted(by_id)}


class _Image(NamedTuple):
    image_id: str
    path: Path
    width: int
    height: int


class _Split:
    def __init__(self, folder: Folder, split: str, file: str, content: CocoFile, problems: Problems) -> None:
        self.folder, self.file, self.content, self.problems = folder, file, content, problems
        self.places = (f"{split}/", f"{IMAGES}/{split}/", f"{IMAGES}/", "")

    def examples(self, index: Mapping[int, int]) -> list[Example]:
        """Every usable image with its boxes. index: the class of a category's id."""
        found = [None if entry is None else self._image(entry) for entry in self.content.images]
        rows, boxes = self._boxes(found)
        annotations = self.content.annotations
        labels = np.array([index[key] for key in self.content.categories], np.int64)[annotations.category[rows]]
        crowd, area = annotations.crowd[rows], annotations.area[rows]
        # A box around many cannot be found or missed as one object: a crowd is difficult.
        difficult = crowd | annotations.ignore[rows]
        ends = np.searchsorted(annotations.image[rows], np.arange(len(found) + 1))
        examples = []
        for image, a, b in zip(found, ends[:-1], ends[1:], strict=True):
            if image is not None:
                examples.append(
                    Example(*image, boxes[a:b], labels[a:b], difficult[a:b], crowd=crowd[a:b], area=area[a:b])
                )
        return examples

    def _image(self, entry: Entry) -> _Image | None:
        names = (PurePosixPath(place, entry.file_name).as_posix() for place in self.places)
        try:
            name = next((name for name in names if self.folder.has(name)), None)
        except BadData as error:
            self.problems.error(self.file, None, f"{entry.place}: {error.message.removesuffix('.')}")
            return None
        if name is None:
            places = ", ".join(place or "the folder itself" for place in self.places)
            message = f"{entry.place}: there is no file {shown(entry.file_name)} in {places}"
            self.problems.error(self.file, None, message)
            return None
        path = self.folder.root / name
        try:
            size = images.size(path)
        except BadData as error:
            self.problems.refused(name, error)
            return None
        # Several tools leave sizes out or write 0x0; only a real contradiction says something.
        if entry.size not in [(None, None), (0, 0), size]:
            said = "x".join(map(shown, entry.size))
            message = f"{entry.place}: says {said}, the image is {size[0]}x{size[1]}; do the boxes fit it?"
            self.problems.warning(self.file, None, message)
        return _Image(name, path, *size)

    def _boxes(self, found: Sequence[_Image | None]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The annotations that are kept, sorted by image and else in the file's order, and their boxes, clipped."""
        annotations = self.content.annotations
        usable = np.array([image is not None for image in found], np.bool_)
        sizes = np.array([(0, 0) if image is None else image[2:] for image in found], np.int64).reshape(-1, 2)
        rows = np.argsort(annotations.image, kind="stable")
        rows = rows[usable[annotations.image[rows]]]
        boxes, kept, said = fit_all(annotations.boxes[rows], sizes[annotations.image[rows]])
        for i, words in said:
            number = int(annotations.number[rows[i]])
            x1, y1, x2, y2 = annotations.boxes[rows[i]].tolist()
            where = coco_annotations.place("annotations", number, annotations.ids[number])
            message = f"{where}: bbox ({x1:g}, {y1:g}, {x2 - x1:g}, {y2 - y1:g}) {words}"
            self.problems.warning(self.file, None, message)
        return rows[kept], boxes[kept]

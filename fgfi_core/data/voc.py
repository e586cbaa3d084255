"""Pascal VOC: Annotations/*.xml, JPEGImages/* and ImageSets/Main/*.txt.

VOC counts pixels from 1 and includes both ends, so a box becomes (xmin - 1, ymin - 1, xmax, ymax) in continuous
coordinates. Classes are the sorted names of all kept boxes of all splits, so they depend on no file's order.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from fgfi_core.data import images, xml
from fgfi_core.data.dataset import Dataset, Example, Problem
from fgfi_core.errors import BadData

ANNOTATIONS, IMAGES, LISTS = "Annotations", "JPEGImages", "ImageSets/Main"
# Tools that count from 0 put boxes up to one pixel over the border; that is convention and not worth a word.
SILENT_OVERHANG = 1.0


@dataclass(frozen=True)
class _Object:
    name: str
    box: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True)
class _Image:
    path: Path
    width: int
    height: int
    objects: tuple[_Object, ...]


def found(root: Path) -> bool:
    """Tell whether a folder looks like Pascal VOC."""
    return all((root / part).is_dir() for part in (ANNOTATIONS, IMAGES, LISTS))


def scan(root: Path) -> Dataset:
    """Read a VOC folder and keep going: what is unusable is left out and listed in `problems`.

    Severity "error" is an image that had to be left out, "warning" a box that was dropped or clipped, or a doubt.
    Raises BadData when nothing can be read at all: no lists, an empty split, no boxes.
    """
    return _Reader(root).read()


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.read_images: dict[str, _Image | None] = {}
        self.images = _files(root / IMAGES, images.SUFFIXES)
        self.annotations = _files(root / ANNOTATIONS, (".xml",))

    def read(self) -> Dataset:
        splits = self._splits()
        for name, ids in splits.items():
            for image_id, line in ids.items():
                if image_id not in self.read_images:
                    self.read_images[image_id] = self._image(image_id, f"{LISTS}/{name}.txt", line)
        kept = {name: [i for i in ids if self.read_images[i] is not None] for name, ids in splits.items()}
        self._refuse_nothing(kept)
        classes = tuple(sorted({o.name for image in self.read_images.values() if image for o in image.objects}))
        if not classes:
            raise BadData(f"{ANNOTATIONS}: no usable box in any image.", hint=_first(self.problems))
        index = {name: i for i, name in enumerate(classes)}
        examples = {i: _example(i, image, index) for i, image in self.read_images.items() if image is not None}
        return Dataset(
            format="voc",
            classes=classes,
            splits={name: tuple(examples[i] for i in ids) for name, ids in kept.items()},
            problems=tuple(self.problems),
        )

    def _problem(self, severity: Literal["warning", "error"], file: str, line: int | None, message: str) -> None:
        self.problems.append(Problem(severity, file, line, message))

    def _splits(self) -> dict[str, dict[str, int]]:
        """Image ids of each split with the line that lists them; the devkit's per-class lists are passed over."""
        splits: dict[str, dict[str, int]] = {}
        for path in sorted((self.root / LISTS).glob("*.txt")):
            lines = _lines(path, f"{LISTS}/{path.name}")
            if any(len(words) == 2 for _, words in lines) and all(len(words) == 2 for _, words in lines):
                continue
            splits[path.stem] = self._ids(lines, f"{LISTS}/{path.name}")
        if not splits:
            raise BadData(f"{LISTS}: no list of images (*.txt) there.", hint="Add for instance train.txt and val.txt.")
        return splits

    def _ids(self, lines: list[tuple[int, list[str]]], file: str) -> dict[str, int]:
        ids: dict[str, int] = {}
        for number, words in lines:
            if len(words) != 1:
                self._problem("error", file, number, f"one image id a line is expected, found '{' '.join(words)[:80]}'")
            elif words[0] in ids:
                self._problem("warning", file, number, f"image '{words[0]}' is listed twice; first on {ids[words[0]]}")
            else:
                ids[words[0]] = number
        return ids

    def _refuse_nothing(self, kept: Mapping[str, list[str]]) -> None:
        for name, ids in kept.items():
            if not ids:
                raise BadData(f"{LISTS}/{name}.txt: no usable image in this split.", hint=_first(self.problems))

    def _image(self, image_id: str, listed_in: str, line: int) -> _Image | None:
        path, annotation = self.images.get(image_id), self.annotations.get(image_id)
        for folder, file in ((IMAGES, path), (ANNOTATIONS, annotation)):
            if file is None:
                self._problem("error", listed_in, line, f"there is no file for '{image_id}' in {folder}")
        if path is None or annotation is None:
            return None
        name = f"{ANNOTATIONS}/{annotation.name}"
        try:
            width, height = images.size(path)
            root = xml.read(annotation)
            self._compare_size(root, (width, height), name)
            return _Image(path, width, height, tuple(self._objects(root, (width, height), name)))
        except BadData as error:
            self._problem("error", f"{IMAGES}/{path.name}", None, error.message.removeprefix(f"{path.name}: "))
        except xml.XmlError as error:
            self._problem("error", name, error.line, error.message)
        except OSError as error:
            self._problem("error", name, None, f"cannot be read: {error.strerror}")
        return None

    def _compare_size(self, root: xml.Element, size: tuple[int, int], file: str) -> None:
        element = root.child("size")
        if element is None:
            return
        said = tuple(child.text if (child := element.child(tag)) else "" for tag in ("width", "height"))
        # Several tools write 0x0 where they did not look; only a real contradiction says something.
        if said not in {("0", "0"), ("", ""), (str(size[0]), str(size[1]))}:
            message = f"says {said[0]}x{said[1]}, the image is {size[0]}x{size[1]}; do the boxes fit it?"
            self._problem("warning", file, element.line, message)

    def _objects(self, root: xml.Element, size: tuple[int, int], file: str) -> Iterable[_Object]:
        for element in root.all("object"):
            name = _text(element, "name")
            if not name:
                raise xml.XmlError("an object without a name", element.line)
            bndbox = element.child("bndbox")
            if bndbox is None:
                raise xml.XmlError(f"object '{name}' has no bndbox", element.line)
            xmin, ymin, xmax, ymax = (_number(bndbox, tag) for tag in ("xmin", "ymin", "xmax", "ymax"))
            place = f"box of '{name}' ({xmin:g}, {ymin:g}, {xmax:g}, {ymax:g})"
            if xmax <= xmin or ymax <= ymin:
                self._problem("warning", file, bndbox.line, f"{place} has no area; dropped")
                continue
            raw = (xmin - 1, ymin - 1, xmax, ymax)
            box = _clip(raw, size)
            if box[2] - box[0] <= 0 or box[3] - box[1] <= 0:
                self._problem("warning", file, bndbox.line, f"{place} lies outside {size[0]}x{size[1]}; dropped")
                continue
            if max(abs(a - b) for a, b in zip(raw, box, strict=True)) > SILENT_OVERHANG:
                self._problem("warning", file, bndbox.line, f"{place} leaves {size[0]}x{size[1]}; clipped")
            yield _Object(name, box, _text(element, "difficult") == "1")


def _example(image_id: str, image: _Image, index: Mapping[str, int]) -> Example:
    return Example(
        image_id=image_id,
        path=image.path,
        width=image.width,
        height=image.height,
        boxes=np.array([o.box for o in image.objects], dtype=np.float32).reshape(-1, 4),
        labels=np.array([index[o.name] for o in image.objects], dtype=np.int64),
        difficult=np.array([o.difficult for o in image.objects], dtype=np.bool_),
    )


def _files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Files by stem. Ids are looked up here and never joined to a path, so no list can point outside the folder."""
    rank = {suffix: i for i, suffix in enumerate(suffixes)}
    files = [path for path in folder.iterdir() if path.suffix.lower() in rank]
    # The first suffix wins where a stem has several files.
    files.sort(key=lambda path: (rank[path.suffix.lower()], path.name), reverse=True)
    return {path.stem: path for path in files}


def _lines(path: Path, name: str) -> list[tuple[int, list[str]]]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise BadData(f"{name}: cannot be read as text: {error}.") from error
    return [(number, words) for number, line in enumerate(content.splitlines(), 1) if (words := line.split())]


def _text(element: xml.Element, tag: str) -> str:
    child = element.child(tag)
    return child.text if child else ""


def _number(bndbox: xml.Element, tag: str) -> float:
    element = bndbox.child(tag)
    if element is None:
        raise xml.XmlError(f"bndbox has no {tag}", bndbox.line)
    try:
        value = float(element.text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise xml.XmlError(f"{tag} is '{element.text[:40]}', not a number", element.line)
    return value


def _clip(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    (width, height), (x1, y1, x2, y2) = size, box
    return max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))


def _first(problems: list[Problem]) -> str:
    return f"First problem: {problems[0]}." if problems else ""

"""Pascal VOC: Annotations/*.xml, JPEGImages/* and ImageSets/Main/*.txt.

VOC counts pixels from 1 and includes both ends, so a box becomes (xmin - 1, ymin - 1, xmax, ymax) in continuous
coordinates. Classes are the sorted names of all kept boxes of all splits, so they depend on no file's order.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fgfi_core.data import images, lists, xml
from fgfi_core.data.boxes import Box, fit
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.folder import Folder
from fgfi_core.data.problems import Problems, shown
from fgfi_core.errors import BadData

ANNOTATIONS, IMAGES, LISTS = "Annotations", "JPEGImages", "ImageSets/Main"


@dataclass(frozen=True, slots=True)
class _Object:
    name: str
    box: Box
    difficult: bool


@dataclass(frozen=True, slots=True)
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
        self.folder = Folder(root)
        self.problems = Problems()
        self.read_images: dict[str, _Image | None] = {}
        self.images = self.folder.by_stem(IMAGES, images.SUFFIXES)
        self.annotations = self.folder.by_stem(ANNOTATIONS, (".xml",))

    def read(self) -> Dataset:
        splits = lists.read(self.folder, LISTS, self.problems)
        for name, ids in splits.items():
            for image_id, line in ids.items():
                if image_id not in self.read_images:
                    self.read_images[image_id] = self._image(image_id, f"{LISTS}/{name}.txt", line)
        classes = tuple(sorted({o.name for image in self.read_images.values() if image for o in image.objects}))
        index = {name: i for i, name in enumerate(classes)}
        examples = {i: _example(i, image, index) for i, image in self.read_images.items() if image is not None}
        kept = {name: [examples[i] for i in ids if i in examples] for name, ids in splits.items()}
        return self.problems.dataset("voc", classes, kept, {name: f"{LISTS}/{name}.txt" for name in splits})

    def _image(self, image_id: str, listed_in: str, line: int) -> _Image | None:
        image, annotation = self.images.get(image_id), self.annotations.get(image_id)
        for place, file in ((IMAGES, image), (ANNOTATIONS, annotation)):
            if file is None:
                self.problems.error(listed_in, line, f"there is no file for {shown(image_id)} in {place}")
        if image is None or annotation is None:
            return None
        try:
            path = self.folder.file(image)
            width, height = images.size(path)
        except BadData as error:
            self.problems.refused(image, error)
            return None
        try:
            root = xml.read(self.folder.file(annotation))
            self._compare_size(root, (width, height), annotation)
            return _Image(path, width, height, tuple(self._objects(root, (width, height), annotation)))
        except BadData as error:
            self.problems.refused(annotation, error)
        except xml.XmlError as error:
            self.problems.error(annotation, error.line, error.message)
        except OSError as error:
            self.problems.error(annotation, None, f"cannot be read: {error.strerror}")
        return None

    def _compare_size(self, root: xml.Element, size: tuple[int, int], file: str) -> None:
        element = root.child("size")
        if element is None:
            return
        said = tuple(child.text if (child := element.child(tag)) else "" for tag in ("width", "height"))
        # Several tools write 0x0 where they did not look; only a real contradiction says something.
        if said not in {("0", "0"), ("", ""), (str(size[0]), str(size[1]))}:
            message = f"says {said[0]}x{said[1]}, the image is {size[0]}x{size[1]}; do the boxes fit it?"
            self.problems.warning(file, element.line, message)

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
                self.problems.warning(file, bndbox.line, f"{place} has no area; dropped")
                continue
            # The first pixel is 1 and the last one belongs to the box.
            box, said = fit((xmin - 1, ymin - 1, xmax, ymax), size)
            if said:
                self.problems.warning(file, bndbox.line, f"{place} {said}")
            if box is not None:
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

"""One COCO JSON file, every value in it checked: its categories, its images, and its annotations as columns."""

import json
from typing import NamedTuple

from fgfi_core.data import coco_annotations
from fgfi_core.data.coco_annotations import Annotations, Json, get, is_id, place
from fgfi_core.data.problems import Problems, shown
from fgfi_core.errors import BadData

# The largest file of the public data set has 450 MB.
MAX_BYTES = 2**30
MAX_NAME = 200


class Entry(NamedTuple):
    """An image as the file tells it: in words which entry it is, its file, and whatever stands for (width, height)."""

    place: str
    file_name: str
    size: tuple[Json, Json]


class CocoFile(NamedTuple):
    """What a file holds. categories: name by id, in order of id. images: None where one cannot be used."""

    categories: dict[int, str]
    images: list[Entry | None]
    annotations: Annotations


def parse(content: bytes, file: str, problems: Problems) -> CocoFile:
    """Read a file's content; an image with an annotation that cannot be understood is left out.

    Raises BadData when the file as a whole, or its list of categories, cannot be understood.
    """
    top = _json(content, file)
    for key in ("categories", "images", "annotations"):
        if not isinstance(top, dict) or not isinstance(top.get(key), list):
            raise BadData(f"{file}: has no list '{key}'.", hint="Give the kind of file that COCO calls 'instances'.")
    categories = _categories(top["categories"], file)
    images, by_id = _images(top["images"], file, problems)
    annotations, unusable = coco_annotations.check(top["annotations"], by_id, list(categories), file, problems)
    return CocoFile(categories, [None if i in unusable else image for i, image in enumerate(images)], annotations)


def _json(content: bytes, file: str) -> Json:
    try:
        # Outlines are most of a file and would take most of the memory.
        return json.loads(content, object_hook=_without_outline)
    except json.JSONDecodeError as error:
        raise BadData(f"{file}:{error.lineno}: is not JSON: {error.msg} (column {error.colno}).") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{file}: cannot be read as text: byte {error.start} is not UTF-8.") from error
    except RecursionError:
        raise BadData(f"{file}: is nested too deeply.") from None
    except ValueError as error:
        # A number of thousands of digits.
        raise BadData(f"{file}: cannot be read: {error}.") from error


def _without_outline(entry: dict[str, Json]) -> dict[str, Json]:
    entry.pop("segmentation", None)
    return entry


def _categories(entries: list[Json], file: str) -> dict[int, str]:
    """Raises BadData: without its categories no annotation of a file means anything."""
    found: dict[int, str] = {}
    names: set[str] = set()
    for number, entry in enumerate(entries):
        key, name = get(entry, "id"), get(entry, "name")
        where = f"{file}: {place('categories', number, key)}"
        if not isinstance(key, int) or isinstance(key, bool):
            raise BadData(f"{where}: the id is not a whole number.")
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
            raise BadData(f"{where}: {shown(name)} is not a name.")
        if key in found or name in names:
            raise BadData(f"{where}: another category has this id or the name {shown(name)}.")
        found[key] = name
        names.add(name)
    return dict(sorted(found.items()))


def _images(entries: list[Json], file: str, problems: Problems) -> tuple[list[Entry | None], dict[int | str, int]]:
    """Every image, and its number by its id."""
    images: list[Entry | None] = []
    by_id: dict[int | str, int] = {}
    by_name: dict[str, int] = {}
    for number, entry in enumerate(entries):
        key, name = get(entry, "id"), get(entry, "file_name")
        where = place("images", number, key)
        images.append(None)
        if not is_id(key):
            problems.error(file, None, f"{where}: the id is not a whole number")
        elif not isinstance(name, str) or not name:
            problems.error(file, None, f"{where}: file_name is {shown(name)}, not a name")
        elif key in by_id:
            problems.error(file, None, f"{where}: images[{by_id[key]}] has the same id")
        elif name in by_name:
            problems.error(file, None, f"{where}: images[{by_name[name]}] is of the same file {shown(name)}")
        else:
            images[number] = Entry(where, name, (entry.get("width"), entry.get("height")))
            by_name[name] = number
        # Also for an image that was left out, so that its annotations are known to be its.
        if is_id(key):
            by_id.setdefault(key, number)
    return images, by_id

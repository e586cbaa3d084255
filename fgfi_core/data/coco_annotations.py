"""The annotations of a COCO file, every value checked, as columns.

JSON has no lines worth naming, so messages name an entry by its number and id: `annotations[17] (id 4711)`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.problems import Problems, shown

Json = Any

# Square pixels. No image has more, and beyond it floats stop counting.
MAX_AREA = 2.0**53


class Annotations(NamedTuple):
    """The usable annotations of a file, in its order.

    image: [A] int64, index into the file's images. category: [A] int64, index into its categories in order of id.
    boxes: [A, 4] float64 xyxy pixels, not clipped. crowd: [A] bool. ignore: [A] bool, an extension
    of several tools for what VOC calls difficult. area: [A] float64, square pixels. number: [A]
    int64, index in the file's list. ids: of all annotations of the file, as they stand there.
    """

    image: NDArray[np.int64]
    category: NDArray[np.int64]
    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    ignore: NDArray[np.bool_]
    area: NDArray[np.float64]
    number: NDArray[np.int64]
    ids: Sequence[Json]


class _Wrong(ValueError):
    """What is wrong with one annotation."""


def place(key: str, number: int, entry_id: Json) -> str:
    """An entry in words."""
    return f"{key}[{number}] (id {shown(entry_id)})"


def get(entry: Json, key: str) -> Json:
    """Return a value of an entry; None where there is none, or the entry is no object."""
    return entry.get(key) if isinstance(entry, dict) else None


def is_id(value: Json) -> TypeGuard[int | str]:
    """Whole numbers are the standard; text is what some tools write. True and False are numbers only to Python."""
    return isinstance(value, int | str) and not isinstance(value, bool)


def check(
    entries: Sequence[Json],
    images: Mapping[int | str, int],
    categories: Sequence[int],
    file: str,
    problems: Problems,
) -> tuple[Annotations, set[int]]:
    """Check each annotation. images: index by id. categories: their ids.

    Returns the annotations and the images that cannot be used, because one of theirs cannot be understood.
    """
    index: dict[int | str, int] = {key: i for i, key in enumerate(categories)}
    ids = [get(entry, "id") for entry in entries]
    rows: list[tuple[int, int, int, int, int]] = []
    boxes: list[tuple[float, ...]] = []
    strays, unusable = [], set()
    for number, entry in enumerate(entries):
        image = None
        try:
            image = images.get(_image_id(entry))
            if image is None:
                strays.append(number)
            else:
                category, crowd, ignore, box = _object(entry, index)
                rows.append((image, category, crowd, ignore, number))
                boxes.append(box)
        except _Wrong as wrong:
            problems.error(file, None, f"{place('annotations', number, ids[number])}: {wrong}")
            if image is not None:
                unusable.add(image)
    _say_once(strays, ids, "of no image in 'images'; dropped", file, problems)
    _say_once(_repeated(ids), ids, "of an id that an earlier one has; kept", file, problems)
    columns = np.array(rows, np.int64).reshape(-1, 5)
    x, y, width, height, area = np.array(boxes, np.float64).reshape(-1, 5).T
    corners = np.stack([x, y, x + width, y + height], axis=1)
    crowd, ignore = columns[:, 2] == 1, columns[:, 3] == 1
    found = Annotations(columns[:, 0], columns[:, 1], corners, crowd, ignore, area, columns[:, 4], ids)
    return found, unusable


def _image_id(entry: Json) -> int | str:
    key = get(entry, "image_id")
    if not is_id(key):
        raise _Wrong(f"image_id is {shown(key)}, not a whole number")
    return key


def _object(entry: dict[str, Json], index: Mapping[int | str, int]) -> tuple[int, int, int, tuple[float, ...]]:
    """Category's index, crowd and ignore as 0 or 1, and x, y, width, height, area. Raises _Wrong."""
    category, box, area = entry.get("category_id"), entry.get("bbox"), entry.get("area")
    crowd, ignore = entry.get("iscrowd"), entry.get("ignore")
    if not is_id(category) or category not in index:
        raise _Wrong(f"category_id {shown(category)} is not among the categories")
    # No set, which would ask for the hash of whatever stands there.
    if crowd not in [None, 0, 1]:
        raise _Wrong(f"iscrowd is {shown(crowd)}, not 0 or 1")
    if ignore not in [None, 0, 1]:
        raise _Wrong(f"ignore is {shown(ignore)}, not 0 or 1")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise _Wrong(f"bbox {shown(box)} is not four numbers: x, y, width, height")
    x, y, width, height = map(float, box)
    size = min(max(width * height, 0.0), MAX_AREA)
    if area is not None and _is_number(area) and 0 <= area <= MAX_AREA:
        size = float(area)
    return index[category], int(crowd or 0), int(ignore or 0), (x, y, width, height, size)


def _is_number(value: Json) -> bool:
    # JSON's whole numbers may have any size, and Python reads NaN and Infinity in it too.
    return type(value) in {int, float} and -1e300 < value < 1e300 and math.isfinite(value)


def _repeated(ids: Sequence[Json]) -> list[int]:
    seen: set[int | str] = set()
    again = []
    for number, key in enumerate(ids):
        if is_id(key):
            if key in seen:
                again.append(number)
            seen.add(key)
    return again


def _say_once(numbers: Sequence[int], ids: Sequence[Json], said: str, file: str, problems: Problems) -> None:
    """One warning for all: a file cut down to some images easily keeps thousands of annotations of the others."""
    if numbers:
        first = place("annotations", numbers[0], ids[numbers[0]])
        more = f" and {len(numbers) - 1} more are" if len(numbers) > 1 else " is"
        problems.warning(file, None, f"{first}{more} {said}")

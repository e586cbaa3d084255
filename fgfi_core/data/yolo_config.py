"""data.yaml of the YOLO layout: the classes' names and where each split's images are."""

from pathlib import PurePosixPath
from typing import Any, NamedTuple

import yaml

from fgfi_core.data.folder import Folder
from fgfi_core.data.problems import shown
from fgfi_core.errors import BadData

SPLITS = ("train", "val", "test")
MAX_BYTES = 2**20
MAX_NAME = 200
# As text, since nothing is converted: how YAML spells "nothing".
_NOTHING = ("", "~", "null")


class Config(NamedTuple):
    """classes: in order of their number. splits: the folders of images, or lists of images, that make up each split."""

    classes: tuple[str, ...]
    splits: dict[str, tuple[str, ...]]


def read(folder: Folder, file: str) -> Config:
    """Read the file. Raises BadData; also for a split that lies outside the data set, or is missing."""
    top = _yaml(folder, file)
    classes = _names(top.get("names"), file)
    count = top.get("nc", str(len(classes)))
    if count != str(len(classes)):
        raise BadData(f"{file}: nc is {shown(count)}, but there are {len(classes)} names.", hint="Remove nc.")
    base = _base(top.get("path", ""), folder, file)
    splits = {key: _places(top[key], base, key, folder, file) for key in SPLITS if top.get(key, "") not in _NOTHING}
    if not splits:
        raise BadData(f"{file}: names no split.", hint="Add for instance 'train: images/train' and 'val: images/val'.")
    return Config(classes, splits)


def _yaml(folder: Folder, file: str) -> dict[str, Any]:
    content = folder.read(file, MAX_BYTES)
    try:
        # Text, lists and mappings only, and every value as it is written: a class may be called `no` or `1`.
        top = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 # Builds less than SafeLoader does.
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadData(f"{file}:{line}: is not YAML: {error.problem}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadData(f"{file}: is not YAML: {str(error).splitlines()[0]}.") from error
    except RecursionError:
        raise BadData(f"{file}: is nested too deeply.") from None
    if not isinstance(top, dict):
        raise BadData(f"{file}: is not a mapping.", hint="It needs names, train and val.")
    return top


def _names(value: Any, file: str) -> tuple[str, ...]:
    hint = "Write one name a class, for instance 'names: [car, person]'."
    if isinstance(value, dict):
        numbers = [str(number) for number in range(len(value))]
        if set(value) != set(numbers):
            raise BadData(f"{file}: the numbers of names are not 0 to {len(value) - 1}.", hint=hint)
        value = [value[number] for number in numbers]
    if not isinstance(value, list) or not value:
        raise BadData(f"{file}: names is {shown(value)}, not a list of classes.", hint=hint)
    seen: set[str] = set()
    for number, name in enumerate(value):
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
            raise BadData(f"{file}: names[{number}] is {shown(name)}, not a name.", hint=hint)
        if name in seen:
            raise BadData(f"{file}: names[{number}] is {shown(name)}, as another is.", hint="Give each class its own.")
        seen.add(name)
    return tuple(value)


def _base(value: Any, folder: Folder, file: str) -> PurePosixPath:
    """The folder that the splits are relative to."""
    if value in _NOTHING:
        return PurePosixPath()
    hint = f"Remove it: {file} lies in the data set's folder."
    if not isinstance(value, str):
        raise BadData(f"{file}: path is {shown(value)}, not a folder.", hint=hint)
    try:
        there = folder.has_folder(value)
    except BadData as error:
        raise BadData(f"{file}: path: {error.message}", hint=hint) from error
    if not there:
        raise BadData(f"{file}: path: there is no folder {shown(value)} in the data set.", hint=hint)
    return PurePosixPath(value)


def _places(value: Any, base: PurePosixPath, key: str, folder: Folder, file: str) -> tuple[str, ...]:
    places = []
    for place in value if isinstance(value, list) else [value]:
        if not isinstance(place, str):
            raise BadData(f"{file}: {key} is {shown(place)}, not a folder or list.")
        try:
            # `a/.` and `./a` become `a`, so that an image has one name.
            name = (base / place).as_posix()
            there = folder.has_folder(name) or (name.endswith(".txt") and folder.has(name))
        except BadData as error:
            hint = f"Write it relative to {file}, for instance 'images/{key}'."
            raise BadData(f"{file}: {key}: {error.message}", hint=hint) from error
        if not there:
            raise BadData(f"{file}: {key}: there is no folder, and no list *.txt, {shown(name)}.")
        places.append(name)
    return tuple(places)

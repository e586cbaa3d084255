"""Which data a job ran on, file by file, and whether a folder still holds it."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from fgfi_core.bundle.record import Data, DataFile
from fgfi_core.data import coco, kitti, voc, yolo
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.formats import FORMATS
from fgfi_core.errors import BadData
from fgfi_core.spec import JobSpec

SHOWN = 5
# How files are called that say whose the data is and what may be done with it.
LICENCES = ("LICENSE", "LICENCE", "COPYING", "SOURCE", "NOTICE")


def used(spec: JobSpec) -> list[str]:
    """The splits that a job reads."""
    data = spec.dataset
    return [data.train, data.val, *([data.unlabelled] if data.unlabelled is not None else [])]


def describe(dataset: Dataset, splits: Sequence[str]) -> Data:
    """Hash every image of these splits and every annotation that says something about one."""
    examples = {example.image_id: example for split in splits for example in dataset.splits[split]}
    root = _root([example.path for example in examples.values()])
    images = [example.path.relative_to(root).as_posix() for example in examples.values()]
    names = sorted({*images, *_annotations(dataset.format, root, splits, images)})
    files = tuple(DataFile(path=name, sha256=sha256(root / name)) for name in names)
    order = {split: _order(dataset.splits[split]) for split in splits}
    whole = [dataset.format, dataset.classes, order, [(file.path, file.sha256) for file in files]]
    return Data(
        format=dataset.format,
        classes=dataset.classes,
        splits={split: len(dataset.splits[split]) for split in splits},
        order=order,
        files=files,
        sha256=hashlib.sha256(json.dumps(whole).encode()).hexdigest(),
        licences=tuple(sorted(path.name for path in root.iterdir() if path.name.upper().startswith(LICENCES))),
    )


def check(wanted: Data, dataset: Dataset) -> None:
    """Raise BadData when the data set is not the one described, naming the first files that differ."""
    absent = [split for split in wanted.splits if split not in dataset.splits]
    if absent:
        raise BadData(f"the data set has no split '{absent[0]}'.", hint="Give the folder that the job ran on.")
    found = describe(dataset, list(wanted.splits))
    if found.sha256 == wanted.sha256:
        return
    differences = _differences(wanted, found)
    more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
    raise BadData(
        f"the data is not what the job ran on: {'; '.join(differences[:SHOWN])}{more}.",
        hint="Give the folder that the job ran on, unchanged.",
    )


def sha256(path: Path) -> str:
    """Hash of a file. Raises BadData when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadData(f"{path.name}: cannot be read: {error.strerror}.") from error


def _differences(wanted: Data, found: Data) -> list[str]:
    before, now = ({file.path: file.sha256 for file in data.files} for data in (wanted, found))
    out = [f"{name} is changed" for name in before if name in now and before[name] != now[name]]
    out += [f"{name} is missing" for name in before if name not in now]
    out += [f"{name} is new" for name in now if name not in before]
    out += [f"the split '{split}' lists its images in another order" for split in _changed(wanted.order, found.order)]
    if wanted.format != found.format or wanted.classes != found.classes:
        out.append(f"it is {found.format} with classes {list(found.classes)}")
    return out


def _changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    return [split for split, value in before.items() if now.get(split) != value]


def _order(examples: Iterable[Example]) -> str:
    return hashlib.sha256("\n".join(example.image_id for example in examples).encode()).hexdigest()


def _root(paths: Sequence[Path]) -> Path:
    """The data set's folder: the nearest above all images that a format knows."""
    first = paths[0].parent
    for folder in (first, *first.parents):
        if any(known.found(folder) for known in FORMATS) and all(path.is_relative_to(folder) for path in paths):
            return folder
    raise BadData("the images do not lie in one data set's folder.")


def _annotations(format_: str, root: Path, splits: Sequence[str], images: Sequence[str]) -> list[str]:
    """Files that say what is on the images, and which of them are in which split; those that exist."""
    stems = [PurePosixPath(name).stem for name in images]
    lists: dict[str, list[str]] = {
        "voc": [f"{voc.LISTS}/{split}.txt" for split in splits],
        "kitti": [f"{kitti.LISTS}/{split}.txt" for split in splits],
        "coco": [f"{coco.ANNOTATIONS}/{prefix}{split}.json" for split in splits for prefix in ("", coco.PREFIX)],
        "yolo": [yolo.CONFIG],
    }
    each: dict[str, list[str]] = {
        "voc": [f"{voc.ANNOTATIONS}/{stem}.xml" for stem in stems],
        "kitti": [f"{kitti.LABELS}/{stem}.txt" for stem in stems],
        "coco": [],
        "yolo": [_yolo_label(name) for name in images],
    }
    return [name for name in (*lists[format_], *each[format_]) if (root / name).is_file()]


def _yolo_label(image: str) -> str:
    """`labels` for the last `images` of the path, as the reader has it."""
    parts = list(PurePosixPath(image).with_suffix(".txt").parts)
    last = max((i for i, part in enumerate(parts[:-1]) if part == yolo.IMAGES), default=None)
    if last is not None:
        parts[last] = yolo.LABELS
    return "/".join(parts)

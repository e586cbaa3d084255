"""Find out which format a folder holds, and read it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fgfi_core.data import coco, kitti, voc, yolo
from fgfi_core.data.dataset import Dataset
from fgfi_core.data.unlabelled import with_unlabelled
from fgfi_core.errors import BadData

SHOWN = 5


class Format(NamedTuple):
    """A format we read: what to look for (also in words), and the reader, which finds a folder `unlabelled`, too."""

    name: str
    looks_for: str
    found: Callable[[Path], bool]
    scan: Callable[[Path], Dataset]


FORMATS = (
    Format(
        "Pascal VOC", f"{voc.ANNOTATIONS}/, {voc.IMAGES}/ and {voc.LISTS}/*.txt", voc.found, with_unlabelled(voc.scan)
    ),
    Format("COCO", f"{coco.ANNOTATIONS}/*.json", coco.found, with_unlabelled(coco.scan)),
    Format(
        "KITTI",
        f"{kitti.IMAGES}/, {kitti.LABELS}/ and {kitti.LISTS}/*.txt",
        kitti.found,
        with_unlabelled(kitti.scan),
    ),
    Format("YOLO", yolo.CONFIG, yolo.found, with_unlabelled(yolo.scan)),
)


def read(root: Path) -> Dataset:
    """Read a data set for training; boxes that were dropped are in `problems`.

    root: the data set's folder, or a folder whose only subfolder is the data set.
    Raises BadData when no known format is found, or when any image had to be left out.
    """
    dataset = scan(root)
    errors = [problem for problem in dataset.problems if problem.severity == "error"]
    if errors:
        listed = "; ".join(str(problem) for problem in errors[:SHOWN])
        more = f"; and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        count = "1 unusable entry" if len(errors) == 1 else f"{len(errors)} unusable entries"
        hint = "Mend these files, or take the images off their lists."
        raise BadData(f"The data set has {count}: {listed}{more}.", hint=hint)
    return dataset


def scan(root: Path) -> Dataset:
    """Read what can be read; unusable images are left out and listed in `problems`. Raises BadData when none can."""
    known, folder = locate(root)
    return known.scan(folder)


def locate(root: Path) -> tuple[Format, Path]:
    """Find the format, and the folder that it begins in. Raises BadData for none, and for two in one folder."""
    if not root.is_dir():
        raise BadData(f"{root}: there is no such folder.")
    for folder in _candidates(root):
        known = [format_ for format_ in FORMATS if format_.found(folder)]
        if len(known) > 1:
            both = " and ".join(f"{format_.name} ({format_.looks_for})" for format_ in known)
            raise BadData(f"The folder looks like {both}.", hint="Leave the files of one format in it.")
        if known:
            return known[0], folder
    looked = ", or ".join(f"{format_.name} ({format_.looks_for})" for format_ in FORMATS)
    seen = ", ".join(sorted(path.name for path in root.iterdir())[:SHOWN]) or "nothing"
    hint = "Lay the data set out so, in the folder itself or in its only subfolder."
    raise BadData(f"No known data set format: looked for {looked}; found {seen}.", hint=hint)


def _candidates(root: Path) -> list[Path]:
    """Return the folder, then the chain of only subfolders that archives like to add (VOCdevkit/VOC2007)."""
    folders = [root]
    while len(folders) < 4:
        inside = [path for path in folders[-1].iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
        if len(inside) != 1:
            break
        folders.append(inside[0])
    return folders

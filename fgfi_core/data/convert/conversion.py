"""From any format we read to one of them, whole or not at all.

What goes through is what our readers read: boxes, classes, splits, and the marks of a `dataset.Example`. What they do
not read stays behind without a count: poses, parts and flags of VOC, outlines and key points of COCO (the outlines'
areas go along), everything in three dimensions of KITTI.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from fgfi_core.data import formats
from fgfi_core.data.convert import coco, kitti, voc, yolo
from fgfi_core.data.convert.output import Copy, Loss, Output
from fgfi_core.data.dataset import Dataset, Problem
from fgfi_core.errors import BadData, BadSpec

Format = Literal["voc", "coco", "kitti", "yolo"]
FORMATS: tuple[Format, ...] = get_args(Format)

WRITERS: Mapping[str, Callable[[Dataset, Output], None]] = {
    "voc": voc.write,
    "coco": coco.write,
    "kitti": kitti.write,
    "yolo": yolo.write,
}


@dataclass(frozen=True)
class Converted:
    """What was written, counted by reading it again, and what was lost on the way.

    source_format, format: as in `Dataset.format`. images, boxes: over distinct images. splits: images of each. renamed:
    by its id in the source, the new name of each image that could not keep its own. problems: what the reader found in
    the source: boxes it dropped or clipped, and doubts.
    """

    source_format: str
    format: str
    images: int
    boxes: int
    splits: Mapping[str, int]
    classes: tuple[str, ...]
    losses: tuple[Loss, ...]
    renamed: Mapping[str, str]
    problems: tuple[Problem, ...]


def convert(source: Path, target: Path, format: str, *, copy: Copy = "copy") -> Converted:  # noqa: A002 - the field's word
    """Read the data set in the folder `source` and write it to `target` in another format, or in its own.

    target: does not exist, or is an empty folder; it is written to a folder beside it that takes its place at the end.
    copy: images are copied byte for byte, or linked (hard links: no space, the same disk only).
    Raises BadData for a source with unusable images, for one that the format cannot hold and when the disk refuses,
    BadSpec for an unknown format, and FileExistsError.
    """
    if format not in WRITERS:
        raise BadSpec(f"There is no format '{format}' to write.", hint=f"Name one of {', '.join(FORMATS)}.")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise FileExistsError(f"{target} exists already and is not an empty folder")
    dataset = formats.read(source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, so that the last step is a rename.
        folder = Path(tempfile.mkdtemp(prefix=".converting-", dir=target.parent))
        try:
            output = Output(folder, copy)
            WRITERS[format](dataset, output)
            written = formats.read(folder)
            folder.chmod(0o755)
            if target.exists():
                target.rmdir()
            folder.rename(target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise BadData(f"{target}: cannot be written: {error.strerror}.") from error
    return _summary(dataset, written, output)


def _summary(dataset: Dataset, written: Dataset, output: Output) -> Converted:
    if dataset.background:
        kinds = ", ".join(dataset.background)
        output.lose(f"boxes of types that are read as background: {kinds}", sum(dataset.background.values()))
    distinct = {example.image_id: example for split in written.splits.values() for example in split}
    return Converted(
        source_format=dataset.format,
        format=written.format,
        images=len(distinct),
        boxes=sum(len(example.labels) for example in distinct.values()),
        splits={name: len(split) for name, split in written.splits.items()},
        classes=written.classes,
        losses=tuple(output.losses),
        renamed=dict(output.renamed),
        problems=dataset.problems,
    )

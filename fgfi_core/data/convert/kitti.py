"""KITTI: one text an image, lists of ids; what is measured in three dimensions is written as unknown.

KITTI scores Car, Pedestrian and Cyclist. Boxes of other classes are written under their own names for other programs;
our reader takes them as background, as the benchmark does. A difficult car is called a Van and a difficult pedestrian a
Person_sitting: what KITTI has for boxes that count neither way. A crowd becomes a DontCare region. Not held: difficult
cyclists' mark, areas of outlines.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.convert.output import Output, distinct, lose_areas
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.kitti import CLASSES, IMAGES, LABELS, LISTS
from fgfi_core.errors import BadData

DIFFICULT = {"Car": "Van", "Pedestrian": "Person_sitting"}
IGNORED = "DontCare"
# As in the benchmark's own labels: height, width, length, x, y, z, rotation of what was not measured.
_UNKNOWN = "-1 -1 -1 -1000 -1000 -1000 -10"


def write(dataset: Dataset, output: Output) -> None:
    """Write the whole data set. Raises BadData when it has none of KITTI's classes."""
    kinds = _kinds(output.classes(dataset))
    examples = distinct(dataset)
    if not any(kinds[label] in CLASSES for example in examples for label in example.labels):
        hint = f"Name the classes that are meant {', '.join(CLASSES)}."
        raise BadData("The data set has no box of a class that KITTI scores.", hint=hint)
    ids: dict[str, str] = {}
    for example in examples:
        image = output.image(example, IMAGES, one_word=True)
        ids[example.image_id] = image.stem
        output.lines(f"{LABELS}/{image.stem}.txt", _label(example, kinds))
    for split, members in dataset.splits.items():
        output.lines(f"{LISTS}/{split}.txt", (ids[example.image_id] for example in members))
    _lose(dataset, examples, kinds, output)


def _kinds(classes: Sequence[str]) -> list[str]:
    """The type of each class: one word, KITTI's own as KITTI spells it."""
    own = {name.lower(): name for name in CLASSES}
    return [own.get(name.lower(), "_".join(name.split())) for name in classes]


def _label(example: Example, kinds: Sequence[str]) -> Iterator[str]:
    for i, box in enumerate(example.boxes):
        kind = kinds[example.labels[i]]
        if kind in CLASSES and example.crowd[i]:
            yield _line(IGNORED, "-1", "-1", box)
            continue
        if example.difficult[i]:
            kind = DIFFICULT.get(kind, kind)
        yield _line(kind, f"{example.truncation[i]:.9g}", str(example.occlusion[i]), box)
    for box in example.ignored:
        yield _line(IGNORED, "-1", "-1", box)


def _line(kind: str, truncation: str, occlusion: str, box: NDArray[np.float32]) -> str:
    # Nine digits tell each float32 from every other.
    sides = " ".join(f"{side:.9g}" for side in box)
    return f"{kind} {truncation} {occlusion} -10 {sides} {_UNKNOWN}"


def _lose(dataset: Dataset, examples: Sequence[Example], kinds: Sequence[str], output: Output) -> None:
    scored = np.array([kind in CLASSES for kind in kinds])
    called = np.array([kind in DIFFICULT for kind in kinds])
    others, crowds, neighbours, marks = 0, 0, 0, 0
    for example in examples:
        own, crowd = scored[example.labels], example.crowd
        others += int((~own).sum())
        crowds += int((own & crowd).sum())
        difficult = example.difficult & own & ~crowd
        neighbours += int((difficult & called[example.labels]).sum())
        marks += int((difficult & ~called[example.labels]).sum())
    output.lose("boxes of classes that KITTI does not score; they are written and read as background", others)
    output.lose("crowd boxes; they become DontCare regions, which have no class", crowds)
    output.lose("difficult marks", marks)
    if dataset.format != "kitti":
        output.lose("difficult marks that take KITTI's way: called Van and Person_sitting", neighbours)
    lose_areas(output, examples)

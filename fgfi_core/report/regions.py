"""The imitation region of single images, outside any job: which cells, and how well the anchors fit each box."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.frame import Frame, Resize
from fgfi_core.detectors import Detector, create, num_anchor_shapes
from fgfi_core.detectors.anchors import kmeans_shapes
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.imitation import FrozenTeacher, RegionEstimator
from fgfi_core.imitation.region import Levels
from fgfi_core.spec import DETECTORS
from fgfi_core.training.resolve import ANCHOR_SEED

# Splits that jobs train on by these names, in the order they are looked for.
TRAINED = ("trainval", "train")
SHOWN = 5


@dataclass(frozen=True, eq=False)
class ImageRegion:
    """The region of one image.

    strides: of the teacher's matched maps, finest first. masks: bool [H_l, W_l] each, over the image. boxes: [G]
    numbers of the example's boxes that count, difficult ones left out. best_iou: [L, G] float64, M of each box on each
    level alone.
    """

    example: Example
    strides: tuple[int, ...]
    masks: tuple[NDArray[np.bool_], ...]
    boxes: NDArray[np.int64]
    best_iou: NDArray[np.float64]

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each level's cells that are imitated."""
        return tuple(float(mask.mean()) for mask in self.masks)

    @property
    def share(self) -> float:
        """Share of all levels' cells."""
        return sum(int(mask.sum()) for mask in self.masks) / sum(mask.size for mask in self.masks)


def find(dataset: Dataset, asked: Sequence[str]) -> list[Example]:
    """The images of a data set by id, file name or path, in the order asked.

    Raises BadData for one that is not there, or a file name that several images have.
    """
    known = {example.image_id: example for split in dataset.splits.values() for example in split}
    return [_one(known, text) for text in asked]


def _one(known: dict[str, Example], text: str) -> Example:
    if text in known:
        return known[text]
    path = Path(text)
    found = [example for example in known.values() if example.path.name == path.name]
    exact = [example for example in found if path.exists() and example.path.resolve() == path.resolve()]
    found = exact or ([] if path.exists() else found) or [e for e in known.values() if e.path.stem == text]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"'{example.image_id}'" for example in found[:SHOWN])
        raise BadData(f"{len(found)} images are called '{text}'.", hint=f"Name one by its id: {listed}.")
    listed = ", ".join(f"'{name}'" for name in sorted(known)[:SHOWN])
    raise BadData(f"the data set has no image '{text}'.", hint=f"It has {len(known)}, for instance {listed}.")


def estimate(
    dataset: Dataset,
    examples: Sequence[Example],
    *,
    detector: str,
    teacher: str | None = None,
    image_size: tuple[int, int] | None = None,
    resize: Resize = "stretch",
    threshold: float = 0.5,
    levels: Levels = "joint",
) -> Iterator[ImageRegion]:
    """The regions in which `detector` would imitate `teacher` (None: one of its own kind).

    image_size: (width, height) of the input, None for the size the catalogue knows the teacher by. resize: how
    images come to it. threshold: psi.
    Anchors that follow the data are fitted to the boxes of the split `trainval` or `train`, as a job's are, or of all.
    Raises BadSpec for detectors that cannot be paired, BadData for data without a box.
    """
    for name in (detector, teacher or detector):
        if name not in DETECTORS:
            raise BadSpec(f"there is no detector '{name}'.", hint=f"Known: {', '.join(DETECTORS)}.")
    size = image_size or DETECTORS[teacher or detector].reference_size
    frame = Frame(size, resize)
    pair = FrozenTeacher(_built(teacher or detector, dataset, frame), _built(detector, dataset, frame))
    anchors = pair.anchors()
    estimator = RegionEstimator(anchors, levels)
    each = [RegionEstimator([level]) for level in anchors]
    strides = tuple(pair.detector.info.strides[one.teacher] for one in pair.match.pairs)
    for example in examples:
        numbers = np.flatnonzero(~example.difficult)
        shape = (example.width, example.height)
        resized = [torch.from_numpy(frame.to_input(example.boxes[numbers], shape))]
        best = torch.stack([one.best_iou(resized)[0] for one in each])
        masks = tuple(frame.over_image(_array(mask[0]), shape) for mask in estimator(resized, threshold))
        yield ImageRegion(example, strides, masks, numbers, np.asarray(best))


def _array(mask: Tensor) -> NDArray[np.bool_]:
    return np.asarray(mask)


def _built(name: str, dataset: Dataset, frame: Frame) -> Detector:
    shapes: tuple[tuple[float, float], ...] = ()
    if count := num_anchor_shapes(name):
        boxes = [
            frame.to_input(example.boxes[~example.difficult], (example.width, example.height))
            for example in _fitted(dataset)
        ]
        sizes = np.concatenate([box[:, 2:] - box[:, :2] for box in boxes])
        if not len(sizes):
            raise BadData("the data set has no box to fit anchors to.", hint="Check its annotations.")
        shapes = tuple((round(float(w), 2), round(float(h), 2)) for w, h in kmeans_shapes(sizes, count, ANCHOR_SEED))
    return create(name, len(dataset.classes), frame.size, anchor_shapes=shapes, resize=frame.resize).eval()


def _fitted(dataset: Dataset) -> list[Example]:
    for name in TRAINED:
        if dataset.splits.get(name):
            return list(dataset.splits[name])
    return [example for split in dataset.splits.values() for example in split]

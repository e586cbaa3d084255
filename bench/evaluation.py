"""How much faster our evaluators are than what they are held equal to: pycocotools, and the devkits written out.

python -m bench.evaluation [--rounds 3] [--images 1000] [--rules coco voc kitti]
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench import coco_reference, kitti_reference, voc_reference
from bench.timing import interleaved, report
from fgfi_core.data import Example
from fgfi_core.evaluation import coco, kitti, voc
from fgfi_core.evaluation.flat import flatten
from fgfi_core.evaluation.found import ImageDetections
from fgfi_core.evaluation.measure import RULES, measure
from fgfi_core.evaluation.report import DIFFICULTIES

DETECTIONS = 45
BOXES = 7
SIZE = (1242, 375)
KITTI = ("Car", "Pedestrian", "Cyclist")

Split = tuple[list[ImageDetections], list[Example]]


def main() -> None:
    """Print a row for each rule, after checking that both sides say the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rules", nargs="+", choices=("coco", "voc", "kitti"), default=("coco", "voc", "kitti"))
    arguments = parser.parse_args()
    images, rounds = arguments.images, arguments.rounds
    print(f"{images:,} images x {DETECTIONS} detections, {BOXES} boxes; median milliseconds of {rounds}")
    for count in (80, 20) if "coco" in arguments.rules else ():
        found, examples = split(images, count, "coco")
        names = [str(c) for c in range(count)]
        # Dicts are what users of pycocotools have at hand, examples what we have: making them is not counted.
        truth, results = coco_reference.truth_of(examples, count), coco_reference.results_of(found)
        compare(
            f"COCO, {count} classes, pycocotools",
            rounds,
            partial(coco_reference_numbers, truth, results),
            partial(coco_numbers, found, examples, names),
        )
    for count in (20, 3) if "voc" in arguments.rules else ():
        found, examples = split(images, count, "voc")
        names = [str(c) for c in range(count)]
        compare(
            f"VOC, {count} classes, the devkit's loops",
            rounds,
            partial(voc_reference_numbers, found, examples, count),
            partial(voc_numbers, found, examples, names),
        )
    if "kitti" not in arguments.rules:
        return
    found, examples = split(images, len(KITTI), "kitti")
    compare(
        "KITTI, 3 classes x 3 difficulties, the devkit's loops",
        rounds,
        partial(kitti_reference_numbers, found, examples),
        partial(kitti_numbers, found, examples),
    )
    alone, everything = interleaved(
        rounds, partial(measure, found, examples, KITTI, ["voc"]), partial(measure, found, examples, KITTI, RULES)
    )
    print(f"one evaluation as a whole: {alone:.0f} with VOC's rules alone, {everything:.0f} with all")


def compare(case: str, rounds: int, slow: Callable[[], Sequence[float]], fast: Callable[[], Sequence[float]]) -> None:
    """Time both in turn. Raises RuntimeError where they differ."""
    if not np.allclose(slow(), fast(), rtol=0, atol=1e-9):
        raise RuntimeError(f"{case}: the two sides differ: the comparison is void")
    report(case, "reference", "ours", interleaved(rounds, slow, fast))


def coco_reference_numbers(truth: dict[str, object], results: list[dict[str, object]]) -> list[float]:
    """The twelve numbers."""
    return [float(number) for number in coco_reference.measure(truth, results).stats]


def coco_numbers(found: list[ImageDetections], examples: list[Example], names: list[str]) -> list[float]:
    """Likewise; None is -1."""
    numbers, _ = coco.evaluate(flatten(found, examples), names)
    return [-1.0 if value is None else value for value in numbers.model_dump().values()]


def voc_reference_numbers(found: list[ImageDetections], examples: list[Example], classes: int) -> list[float]:
    """Area AP and 11-point AP of each class."""
    results = [voc_reference.devkit(found, examples, label, 0.5) for label in range(classes)]
    return [ap for result in results if result is not None for ap in (result.ap, result.ap_11)]


def voc_numbers(found: list[ImageDetections], examples: list[Example], names: list[str]) -> list[float]:
    """Likewise."""
    results = voc.evaluate(found, examples, names).classes.values()
    return [ap for result in results for ap in (result.ap, result.ap_11) if ap is not None]


def kitti_reference_numbers(found: list[ImageDetections], examples: list[Example]) -> list[float]:
    """11-point and 40-point AP of each class and difficulty."""
    curves = [
        kitti_reference.precision(found, examples, label, name, difficulty)
        for label, name in enumerate(KITTI)
        for difficulty in range(len(DIFFICULTIES))
    ]
    return [ap for p in curves if p is not None for ap in (sum(p[::4]) / 11, sum(p[1:]) / 40)]


def kitti_numbers(found: list[ImageDetections], examples: list[Example]) -> list[float]:
    """Likewise."""
    classes = kitti.evaluate(flatten(found, examples), KITTI).classes.values()
    aps = [(one.ap11[d], one.ap40[d]) for one in classes for d in DIFFICULTIES]
    return [ap for pair in aps for ap in pair if ap is not None]


def split(images: int, classes: int, rule: Literal["voc", "coco", "kitti"]) -> Split:
    """A made-up split: two thirds of the detections are boxes with jitter, the others strays that score less."""
    rng = np.random.default_rng(classes)
    pairs = [_image(rng, number, classes, rule) for number in range(images)]
    return [found for found, _ in pairs], [example for _, example in pairs]


def _image(rng: np.random.Generator, number: int, classes: int, rule: str) -> tuple[ImageDetections, Example]:
    boxes = _boxes(rng, BOXES)
    # An image shows few classes.
    labels = (rng.integers(0, 3, BOXES) + rng.integers(classes)) % classes
    difficult = rng.random(BOXES) < 0.05
    example = Example(
        image_id=str(number),
        path=Path(f"{number}.png"),
        width=SIZE[0],
        height=SIZE[1],
        boxes=boxes,
        labels=labels,
        difficult=difficult,
        crowd=difficult & (rule == "coco"),
        occlusion=rng.choice([0, 0, 0, 1, 2, 3], BOXES),
        truncation=rng.choice([0, 0, 0, 0.2, 0.4, 0.6], BOXES).astype(np.float32),
        ignored=_boxes(rng, int(rule == "kitti")),
    )
    near = rng.integers(0, BOXES, DETECTIONS * 2 // 3)
    sides = np.tile(boxes[near, 2:] - boxes[near, :2], 2)
    jittered = (boxes[near] + sides * rng.normal(0, 0.05, sides.shape)).astype(np.float32)
    strays = DETECTIONS - len(near)
    found = ImageDetections(
        boxes=np.concatenate([jittered, _boxes(rng, strays)]),
        scores=np.concatenate([rng.beta(4, 2, len(near)), rng.beta(2, 4, strays)]).astype(np.float32),
        labels=np.concatenate([labels[near], rng.choice(labels, strays)]),
    )
    return found, example


def _boxes(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    corners = rng.random((count, 2)) * (np.array(SIZE) - 150)
    return np.hstack([corners, corners + 20 + rng.random((count, 2)) * 130]).astype(np.float32)


if __name__ == "__main__":
    main()

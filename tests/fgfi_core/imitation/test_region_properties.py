"""What holds for every region: on a pyramid of anchors of three ratios, and on points with one square each."""

from collections.abc import Callable, Sequence
from random import Random
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fgfi_core.imitation import RegionEstimator
from fgfi_core.imitation.region import Levels

WIDTH, HEIGHT = 256, 128
STRIDES = (8, 16, 32)
Box = tuple[float, float, float, float]


def pyramid(shapes: Callable[[int], Sequence[tuple[float, float]]]) -> tuple[Tensor, ...]:
    """Anchors [H, W, K, 4] of each stride, float64, centred in their cells."""
    levels = []
    for stride in STRIDES:
        rows, columns = (torch.arange(side // stride).double() * stride + stride / 2 for side in (HEIGHT, WIDTH))
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        centre = torch.stack([x, y], -1)[:, :, None]
        half = torch.tensor(shapes(stride), dtype=torch.float64) / 2
        levels.append(torch.cat([centre - half, centre + half], -1))
    return tuple(levels)


# Sides are whole pixels and boxes quarters, so that mirroring and doubling are exact in floating point.
FPN = pyramid(lambda stride: [(4 * stride, 4 * stride), (3 * stride, 6 * stride), (6 * stride, 3 * stride)])
POINTS = pyramid(lambda stride: [(4 * stride, 4 * stride)])

families = st.sampled_from([FPN, POINTS])
rules = st.sampled_from(get_args(Levels))
thresholds = st.integers(0, 20).map(lambda twentieth: twentieth / 20)


def span(limit: int) -> st.SearchStrategy[tuple[float, float]]:
    quarter = st.integers(0, limit * 4).map(lambda quarter: quarter / 4)
    return st.tuples(quarter, quarter).map(lambda ends: (min(ends), max(ends) + 0.25))


boxes_in_image = st.tuples(span(WIDTH), span(HEIGHT)).map(lambda s: (s[0][0], s[1][0], s[0][1], s[1][1]))
images = st.lists(boxes_in_image, max_size=5)


def tensor(boxes: Sequence[Box]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)


def region(anchors: Sequence[Tensor], boxes: Tensor, psi: float, levels: Levels) -> tuple[Tensor, ...]:
    return tuple(mask[0] for mask in RegionEstimator(anchors, levels)([boxes], psi))


def iou(anchor: Tensor, box: Box) -> float:
    x1, y1, x2, y2 = anchor.tolist()
    inner = max(0.0, min(x2, box[2]) - max(x1, box[0])) * max(0.0, min(y2, box[3]) - max(y1, box[1]))
    return float(inner / ((x2 - x1) * (y2 - y1) + (box[2] - box[0]) * (box[3] - box[1]) - inner))


def overlaps(anchors: Tensor, box: Box) -> Tensor:
    """IoU with every anchor of a level, [H, W, K], one by one."""
    return torch.tensor([iou(anchor, box) for anchor in anchors.flatten(0, 2)]).view(anchors.shape[:3])


def own_level(anchors: Sequence[Tensor], box: Box) -> int:
    """The level whose anchors' geometric mean side is nearest to the box's, in octaves."""

    def octaves(x1: float, y1: float, x2: float, y2: float) -> float:
        return float(torch.tensor((x2 - x1) * (y2 - y1), dtype=torch.float64).log2()) / 2

    scales = [sum(octaves(*anchor) for anchor in level[0, 0].tolist()) / level.shape[2] for level in anchors]
    return min(range(len(scales)), key=lambda index: abs(octaves(*box) - scales[index]))


def literal(anchors: Sequence[Tensor], boxes: Sequence[Box], psi: float, levels: Levels, margin: float) -> list[Tensor]:
    """The masks by the words of the definition; margin moves the comparison up or down."""
    masks = [torch.zeros(level.shape[:2], dtype=torch.bool) for level in anchors]
    for box in boxes:
        ious = [overlaps(level, box) for level in anchors]
        best = [float(level.max()) for level in ious]
        for index in range(len(masks)):
            if levels == "assigned" and index != own_level(anchors, box):
                continue
            least = psi * (max(best) if levels == "joint" else best[index])
            masks[index] |= (ious[index] > least * (1 + margin)).any(-1)
    return masks


@pytest.mark.parametrize("levels", get_args(Levels))
@settings(deadline=None, max_examples=25)
@given(families, st.lists(boxes_in_image, max_size=2), thresholds)
def test_each_rule_for_levels_is_the_literal_loop(
    levels: Levels, anchors: tuple[Tensor, ...], boxes: list[Box], psi: float
) -> None:
    # An IoU equal to psi * M up to rounding may fall on either side, anything else has one answer.
    lower, upper = (literal(anchors, boxes, psi, levels, margin) for margin in (-1e-5, 1e-5))
    for mask, most, least in zip(region(anchors, tensor(boxes), psi, levels), lower, upper, strict=True):
        assert bool((least <= mask).all())
        assert bool((mask <= most).all())


@settings(deadline=None)
@given(families, images, thresholds, rules, st.sampled_from([0.125, 0.5, 2.0, 16.0]))
def test_anchors_and_boxes_of_another_scale_have_the_same_region(
    anchors: tuple[Tensor, ...], boxes: list[Box], psi: float, levels: Levels, factor: float
) -> None:
    scaled = region([level * factor for level in anchors], tensor(boxes) * factor, psi, levels)
    for mask, expected in zip(scaled, region(anchors, tensor(boxes), psi, levels), strict=True):
        assert torch.equal(mask, expected)


@settings(deadline=None)
@given(families, images, thresholds, rules)
def test_mirrored_boxes_have_the_mirrored_region(
    anchors: tuple[Tensor, ...], boxes: list[Box], psi: float, levels: Levels
) -> None:
    mirrored = tensor([(WIDTH - x2, y1, WIDTH - x1, y2) for x1, y1, x2, y2 in boxes])
    for mask, expected in zip(
        region(anchors, mirrored, psi, levels), region(anchors, tensor(boxes), psi, levels), strict=True
    ):
        assert torch.equal(mask, expected.flip(1))


@settings(deadline=None, max_examples=50)
@given(families, boxes_in_image, st.floats(0, 0.999))
def test_a_box_that_overlaps_any_anchor_keeps_its_best_cell_of_all_levels(
    anchors: tuple[Tensor, ...], box: Box, psi: float
) -> None:
    ious = [overlaps(level, box).amax(-1) for level in anchors]
    best = max(range(len(ious)), key=lambda index: float(ious[index].max()))
    assert ious[best].max() > 0
    assert region(anchors, tensor([box]), psi, "joint")[best].flatten()[ious[best].argmax()]


@settings(deadline=None)
@given(families, images, thresholds, rules, st.randoms(use_true_random=False))
def test_order_and_repetition_of_boxes_change_nothing(
    anchors: tuple[Tensor, ...], boxes: list[Box], psi: float, levels: Levels, random: Random
) -> None:
    shuffled = [*boxes, *boxes[:2]]
    random.shuffle(shuffled)
    for mask, expected in zip(
        region(anchors, tensor(shuffled), psi, levels), region(anchors, tensor(boxes), psi, levels), strict=True
    ):
        assert torch.equal(mask, expected)


@settings(deadline=None)
@given(families, images, thresholds, thresholds, rules)
def test_a_larger_threshold_keeps_a_part_of_the_region(
    anchors: tuple[Tensor, ...], boxes: list[Box], one: float, other: float, levels: Levels
) -> None:
    low, high = sorted((one, other))
    for larger, smaller in zip(
        region(anchors, tensor(boxes), low, levels), region(anchors, tensor(boxes), high, levels), strict=True
    ):
        assert bool((smaller <= larger).all())


@settings(deadline=None)
@given(families, images, images, thresholds, rules)
def test_an_images_region_does_not_depend_on_its_batch(
    anchors: tuple[Tensor, ...], boxes: list[Box], others: list[Box], psi: float, levels: Levels
) -> None:
    batch = RegionEstimator(anchors, levels)([tensor(others), tensor(boxes)], psi)
    for mask, alone in zip(batch, region(anchors, tensor(boxes), psi, levels), strict=True):
        assert torch.equal(mask[1], alone)

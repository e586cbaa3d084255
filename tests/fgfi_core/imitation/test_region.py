"""The region against published numbers, a plain loop over boxes, and its own properties."""

from collections.abc import Sequence
from typing import Literal, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fgfi_core.imitation import RegionEstimator, estimate_region, estimate_regions
from fgfi_core.imitation.region import Levels

TOY_SHAPES = [(36, 37), (366, 174), (115, 59), (162, 87), (38, 90), (258, 173), (224, 108), (78, 170), (72, 43)]
VOC_BASE = [
    (-84, -40, 99, 55), (-176, -88, 191, 103), (-360, -184, 375, 199),
    (-56, -56, 71, 71), (-120, -120, 135, 135), (-248, -248, 263, 263),
    (-36, -80, 51, 95), (-80, -168, 95, 183), (-168, -344, 183, 359),
]  # fmt: skip
PSI = (0.2, 0.5, 0.8)


def grid(shapes: Sequence[tuple[float, float]], columns: Tensor, rows: Tensor) -> Tensor:
    """Anchors [H, W, K, 4] of the given (w, h) around the crossings of columns [W] and rows [H]."""
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    centres = torch.stack([x, y], -1)[:, :, None]
    half = torch.tensor(shapes, dtype=torch.float64) / 2
    return torch.cat([centres - half, centres + half], -1)


def toy_anchors() -> Tensor:
    return grid(TOY_SHAPES, (torch.arange(78).double() + 1) * 1248 / 79, (torch.arange(24).double() + 1) * 384 / 25)


def voc_anchors() -> Tensor:
    y, x = torch.meshgrid(torch.arange(37) * 16, torch.arange(50) * 16, indexing="ij")
    return torch.stack([x, y, x, y], -1)[:, :, None] + torch.tensor(VOC_BASE)


def ious(anchors: Tensor, box: Tensor) -> Tensor:
    """IoU of one box with every anchor, [H, W, K]: the whole matrix, as the reference builds it."""
    size = (torch.minimum(anchors[..., 2:], box[2:]) - torch.maximum(anchors[..., :2], box[:2])).clamp_min(0)
    inner = size.prod(-1)
    total = (anchors[..., 2:] - anchors[..., :2]).prod(-1) + (box[2:] - box[:2]).prod()
    return inner / (total - inner)


def reference(anchors: Sequence[Tensor], boxes: Tensor, psi: float, margin: float = 0.0) -> list[Tensor]:
    """The masks of one image on all levels, `joint`, by a plain loop; margin moves the comparison up or down."""
    masks = [torch.zeros(level.shape[:2], dtype=torch.bool) for level in anchors]
    for box in boxes:
        overlaps = [ious(level, box) for level in anchors]
        best = max(float(overlap.max()) for overlap in overlaps)
        least = psi * best * (1 + margin)
        masks = [mask | (overlap > least).any(-1) for mask, overlap in zip(masks, overlaps, strict=True)]
    return masks


@pytest.mark.parametrize(
    ("box", "best", "cells"),
    [
        ((624, 192, 80, 50), 0.593780, (88, 16, 4)),
        ((624, 192, 40, 90), 0.574081, (84, 16, 4)),
        ((624, 192, 250, 150), 0.816368, (292, 76, 12)),
        ((100, 200, 20, 30), 0.450450, (16, 4, 2)),
        ((1200, 300, 300, 200), 0.743900, (206, 90, 26)),
    ],
)
def test_region_on_the_toy_detectors_grid_is_the_published_one(
    box: tuple[int, ...], best: float, cells: tuple[int, ...]
) -> None:
    x, y, w, h = box
    boxes = torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2]])
    assert float(RegionEstimator([toy_anchors()]).best_iou([boxes])) == pytest.approx(best, abs=5e-7)
    assert tuple(int(estimate_region(toy_anchors(), boxes, psi).sum()) for psi in PSI) == cells
    assert tuple(int(estimate_region(toy_anchors().float(), boxes, psi).sum()) for psi in PSI) == cells


@pytest.mark.parametrize(
    ("box", "best", "cells"),
    [
        ((100, 100, 300, 300), 0.616470, (757, 179, 60)),
        ((0, 0, 60, 40), 0.161480, (108, 40, 29)),
        ((400, 200, 799, 599), 0.610352, (1210, 628, 230)),
        ((20, 300, 120, 560), 0.587535, (310, 109, 20)),
    ],
)
def test_region_on_the_voc_grid_with_pixel_counting_is_the_published_one(
    box: tuple[int, ...], best: float, cells: tuple[int, ...]
) -> None:
    boxes = torch.tensor([box])
    estimator = RegionEstimator([voc_anchors()], pixel_offset=1)
    assert float(estimator.best_iou([boxes])) == pytest.approx(best, abs=5e-7)
    assert tuple(int(estimator([boxes], psi)[0].sum()) for psi in PSI) == cells


def boxes_within(width: float, height: float) -> st.SearchStrategy[tuple[float, float, float, float]]:
    def whole(limit: float) -> st.SearchStrategy[float]:
        return st.integers(0, int(limit) * 4).map(lambda quarter: quarter / 4)

    return st.tuples(whole(width), whole(height), whole(width), whole(height)).map(
        lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]) + 0.25, max(b[1], b[3]) + 0.25)
    )


shapes = st.lists(st.tuples(st.integers(4, 120), st.integers(4, 120)), min_size=1, max_size=4)
images = st.lists(st.lists(boxes_within(160, 96), max_size=5), min_size=1, max_size=3)


@settings(deadline=None)
@given(shapes, shapes, images, st.floats(0, 1))
def test_region_of_a_batch_on_two_levels_equals_the_plain_loop(
    fine: list[tuple[float, float]],
    coarse: list[tuple[float, float]],
    batch: list[list[tuple[float, float, float, float]]],
    psi: float,
) -> None:
    anchors = [
        grid(fine, torch.arange(10).double() * 16 + 8, torch.arange(6).double() * 16 + 8),
        grid(coarse, torch.arange(5).double() * 32 + 16, torch.arange(3).double() * 32 + 16),
    ]
    boxes = [torch.tensor(image, dtype=torch.float64).reshape(-1, 4) for image in batch]
    masks = estimate_regions(anchors, boxes, psi)
    for image, in_image in enumerate(boxes):
        # An IoU equal to psi * M up to rounding may fall on either side, anything else has one answer.
        lower, upper = (reference(anchors, in_image, psi, margin) for margin in (-1e-5, 1e-5))
        for level, mask in enumerate(masks):
            assert bool((upper[level] <= mask[image]).all())
            assert bool((mask[image] <= lower[level]).all())


@settings(deadline=None)
@given(shapes, boxes_within(160, 96), st.floats(0, 0.999))
def test_a_box_that_overlaps_any_anchor_keeps_its_best_cell(
    sizes: list[tuple[float, float]], box: tuple[float, float, float, float], psi: float
) -> None:
    anchors = grid(sizes, torch.arange(10).double() * 16 + 8, torch.arange(6).double() * 16 + 8)
    boxes = torch.tensor([box], dtype=torch.float64)
    overlap = ious(anchors, boxes[0]).amax(-1)
    if overlap.max() > 0:
        mask = estimate_region(anchors, boxes, psi)
        assert bool(mask.flatten()[overlap.argmax()])


@settings(deadline=None)
@given(shapes, shapes, images, st.sampled_from(get_args(Levels)), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]))
def test_all_pairs_and_the_reaching_ones_give_the_same_region(
    fine: list[tuple[float, float]],
    coarse: list[tuple[float, float]],
    batch: list[list[tuple[float, float, float, float]]],
    levels: Levels,
    psi: float,
) -> None:
    anchors = [
        grid(fine, torch.arange(10).double() * 16 + 8, torch.arange(6).double() * 16 + 8),
        grid(coarse, torch.arange(5).double() * 32 + 16, torch.arange(3).double() * 32 + 16),
    ]
    boxes = [torch.tensor(image, dtype=torch.float64).reshape(-1, 4) for image in batch]
    every = RegionEstimator(anchors, levels, all_pairs=True)(boxes, psi)
    with pytest.MonkeyPatch.context() as patched:
        # So few cells are not worth choosing among.
        patched.setattr("fgfi_core.imitation.region.CHUNK", 1)
        few = RegionEstimator(anchors, levels, all_pairs=False)(boxes, psi)
    for one, other in zip(every, few, strict=True):
        assert torch.equal(one, other)


def test_comparison_is_strict_so_that_threshold_one_keeps_nothing() -> None:
    boxes = torch.tensor([[583.0, 167.0, 664.0, 217.0], [0.0, 0.0, 36.0, 37.0]])
    assert not estimate_region(toy_anchors(), boxes, 1.0).any()


def test_threshold_zero_keeps_every_overlapping_cell_and_no_other() -> None:
    anchors = toy_anchors()
    box = torch.tensor([50.0, 60.0, 90.0, 100.0], dtype=torch.float64)
    assert torch.equal(estimate_region(anchors, box[None], 0.0), (ious(anchors, box) > 0).any(-1))


@pytest.mark.parametrize("psi", [0.0, 0.5])
def test_a_box_beyond_all_anchors_or_without_area_adds_nothing(psi: float) -> None:
    boxes = torch.tensor([[5000.0, 5000.0, 5100.0, 5100.0], [300.0, 100.0, 300.0, 200.0]])
    assert not estimate_region(toy_anchors(), boxes, psi).any()


@pytest.mark.parametrize("levels", get_args(Levels))
def test_images_without_boxes_have_an_empty_region(levels: Levels) -> None:
    empty = torch.zeros(0, 4)
    (alone,) = estimate_regions([toy_anchors()], [empty, empty], 0.5, levels)
    assert alone.shape == (2, 24, 78)
    assert not alone.any()
    (beside,) = estimate_regions([toy_anchors()], [empty, torch.tensor([[0.0, 0.0, 60.0, 50.0]])], 0.5, levels)
    assert not beside[0].any()
    assert beside[1].any()


@pytest.mark.parametrize("psi", [-0.01, 1.01, float("nan")])
def test_threshold_outside_zero_to_one_is_refused(psi: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        estimate_region(toy_anchors(), torch.zeros(1, 4), psi)


def test_anchors_that_are_no_grid_are_refused() -> None:
    anchors = toy_anchors()
    anchors[3, 5, 2] += 1.0
    with pytest.raises(ValueError, match="grid"):
        estimate_region(anchors, torch.zeros(1, 4), 0.5)


def test_unknown_level_rule_is_refused() -> None:
    unknown: Literal["joint"] = "sideways"  # type: ignore[assignment]  # What the type forbids is what is tested.
    with pytest.raises(ValueError, match="sideways"):
        RegionEstimator([toy_anchors()], unknown)


class TestLevels:
    """Three maps with square anchors of 32, 64 and 128 pixels at strides 8, 16 and 32."""

    anchors = tuple(
        grid(
            [(size, size)],
            torch.arange(256 // stride) * stride + stride / 2,
            torch.arange(128 // stride) * stride + stride / 2,
        )
        for stride, size in ((8, 32.0), (16, 64.0), (32, 128.0))
    )
    boxes = (
        torch.tensor([[20.0, 20.0, 60.0, 60.0], [100.0, 10.0, 210.0, 120.0]]),
        torch.tensor([[40.0, 40.0, 72.0, 72.0]]),
    )

    def test_joint_takes_one_best_iou_over_all_levels(self) -> None:
        masks = estimate_regions(self.anchors, self.boxes, 0.5, "joint")
        for image, boxes in enumerate(self.boxes):
            for mask, expected in zip(masks, reference(self.anchors, boxes.double(), 0.5), strict=True):
                assert torch.equal(mask[image], expected)

    def test_separate_takes_a_best_iou_for_each_level(self) -> None:
        masks = estimate_regions(self.anchors, self.boxes, 0.5, "separate")
        for image, boxes in enumerate(self.boxes):
            for mask, level in zip(masks, self.anchors, strict=True):
                assert torch.equal(mask[image], reference([level], boxes.double(), 0.5)[0])

    def test_assigned_looks_for_each_box_on_the_level_of_its_size_alone(self) -> None:
        masks = estimate_regions(self.anchors, self.boxes, 0.5, "assigned")
        of_level = {0: self.boxes[0][:1], 2: self.boxes[0][1:]}
        for index, (mask, level) in enumerate(zip(masks, self.anchors, strict=True)):
            boxes = of_level.get(index, torch.zeros(0, 4)).double()
            assert torch.equal(mask[0], reference([level], boxes, 0.5)[0])

    def test_rules_agree_where_there_is_one_level(self) -> None:
        joint, assigned, separate = (
            estimate_regions(self.anchors[:1], self.boxes, 0.5, rule) for rule in get_args(Levels)
        )
        assert torch.equal(joint[0], assigned[0])
        assert torch.equal(joint[0], separate[0])


def test_the_batch_is_cut_into_chunks_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [torch.rand(7, 4, generator=torch.Generator().manual_seed(1)).cumsum(1) * 200 for _ in range(2)]
    (whole,) = estimate_regions([toy_anchors()], boxes, 0.5)
    monkeypatch.setattr("fgfi_core.imitation.region.CHUNK", 1)
    (parts,) = estimate_regions([toy_anchors()], boxes, 0.5)
    assert torch.equal(whole, parts)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_region_on_a_gpu_equals_the_one_on_the_cpu() -> None:
    boxes = [torch.tensor([[583.0, 167.0, 664.0, 217.0]]), torch.zeros(0, 4)]
    (on_cpu,) = estimate_regions([toy_anchors()], boxes, 0.5)
    (on_gpu,) = estimate_regions([toy_anchors().cuda()], [box.cuda() for box in boxes], 0.5)
    assert torch.equal(on_cpu, on_gpu.cpu())

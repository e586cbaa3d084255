import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import box_convert, box_iou

from fgfi_core.detectors import create
from fgfi_core.detectors.anchors import grid, kmeans_shapes, scale_shapes


def centers(anchors: torch.Tensor) -> torch.Tensor:
    return (anchors[..., :2] + anchors[..., 2:]) / 2


def test_inset_centres_are_those_of_the_published_toy_detector() -> None:
    middle = centers(grid([(36, 37)], (1248, 384), (78, 24), inset=True))
    assert middle[0, 0, 0].tolist() == pytest.approx([15.797, 15.36], abs=5e-4)
    assert (middle[0, 1, 0] - middle[0, 0, 0]).tolist() == pytest.approx([15.797, 0], abs=5e-4)
    assert (middle[1, 0, 0] - middle[0, 0, 0]).tolist() == pytest.approx([0, 15.36], abs=5e-4)


@pytest.mark.parametrize(
    ("box", "best"),
    [
        ((624, 192, 80, 50), 0.593780),
        ((624, 192, 40, 90), 0.574081),
        ((624, 192, 250, 150), 0.816368),
        ((100, 200, 20, 30), 0.450450),
        ((1200, 300, 300, 200), 0.743900),
    ],
)
def test_the_toy_grid_overlaps_boxes_as_the_published_one(box: tuple[float, ...], best: float) -> None:
    anchors = create("shuffledet-0.25x", 3, (1248, 384)).anchors()[0].flatten(0, 2)
    truth = box_convert(torch.tensor([box], dtype=torch.float32), "cxcywh", "xyxy")
    assert box_iou(truth, anchors).max().item() == pytest.approx(best, abs=1e-6)


def test_plain_centres_are_the_middles_of_the_cells() -> None:
    middle = centers(grid([(10, 10)], (320, 240), (20, 15)))
    assert middle[0, 0, 0].tolist() == [8, 8]
    assert middle[14, 19, 0].tolist() == [312, 232]


def test_a_grid_has_rows_columns_and_shapes_in_this_order() -> None:
    anchors = grid([(10, 20), (30, 40)], (64, 32), (4, 2))
    assert anchors.shape == (2, 4, 2, 4)
    sizes = anchors[..., 2:] - anchors[..., :2]
    torch.testing.assert_close(sizes, torch.tensor([[10.0, 20], [30, 40]]).expand(2, 4, 2, 2))


def test_anchors_that_cross_the_border_are_kept_whole() -> None:
    assert grid([(50, 50)], (32, 32), (2, 2))[0, 0, 0].tolist() == [-17, -17, 33, 33]


def test_shapes_are_scaled_like_the_images_they_were_made_for() -> None:
    assert scale_shapes([(36, 37)], (1248, 384), (624, 384)) == ((18, 37),)


def test_kmeans_finds_well_separated_clusters() -> None:
    rng = np.random.default_rng(0)
    true = np.array([[10, 10], [20, 60], [90, 30], [200, 180]])
    sizes = np.concatenate([shape * rng.uniform(0.95, 1.05, (40, 2)) for shape in true])
    np.testing.assert_allclose(kmeans_shapes(sizes, 4, seed=0), true, rtol=0.05)


def test_kmeans_does_not_depend_on_the_order_of_the_boxes() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.uniform(5, 200, (300, 2))
    np.testing.assert_array_equal(kmeans_shapes(sizes, 9, seed=3), kmeans_shapes(rng.permutation(sizes), 9, seed=3))


def test_kmeans_leaves_degenerate_boxes_out() -> None:
    sizes = np.array([[10.0, 10], [0, 5], [np.nan, 3], [np.inf, 3], [-4, 4]])
    np.testing.assert_array_equal(kmeans_shapes(sizes, 1, seed=0), [[10, 10]])


@pytest.mark.parametrize("sizes", [np.zeros((0, 2)), np.zeros((3, 2))])
def test_kmeans_without_a_usable_box_is_refused(sizes: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no box with a positive size"):
        kmeans_shapes(sizes, 9, seed=0)


def test_kmeans_with_no_shape_to_find_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        kmeans_shapes(np.ones((3, 2)), 0, seed=0)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=30),
    st.integers(1, 9),
    st.integers(0, 5),
)
def test_kmeans_always_gives_k_different_positive_shapes_smallest_first(
    sizes: list[tuple[int, int]], k: int, seed: int
) -> None:
    shapes = kmeans_shapes(np.array(sizes, dtype=np.float64), k, seed)
    assert shapes.shape == (k, 2)
    assert (shapes > 0).all()
    assert (np.diff(shapes.prod(axis=1)) >= -1e-9).all()

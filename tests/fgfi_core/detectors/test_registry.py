import pytest
import torch

from fgfi_core.detectors import create, num_anchor_shapes
from fgfi_core.detectors.cost import multiply_adds
from fgfi_core.errors import BadSpec
from fgfi_core.spec import DETECTORS, DetectorInfo


@pytest.mark.parametrize("info", DETECTORS.values(), ids=DETECTORS)
def test_the_catalogue_tells_the_truth(info: DetectorInfo) -> None:
    detector = create(info.name, 3, info.reference_size)
    width, height = info.reference_size
    assert sum(p.numel() for p in detector.parameters() if p.requires_grad) == info.parameters
    assert detector.channels() == info.channels

    maps: tuple[torch.Tensor, ...] = ()

    def features(images: torch.Tensor) -> None:
        nonlocal maps
        maps = detector.features(images)

    assert multiply_adds(detector, torch.zeros(1, 3, height, width), call=features) == info.multiply_adds
    assert [tuple(m.shape[1:]) for m in maps] == [
        (channels, -(-height // stride), -(-width // stride))
        for channels, stride in zip(info.channels, info.strides, strict=True)
    ]
    assert [tuple(a.shape[:2]) for a in detector.anchors()] == [tuple(m.shape[2:]) for m in maps]


@pytest.mark.parametrize(
    ("name", "parameters", "giga"),
    [
        ("shuffledet-1x", 1_602_312, 5.238),
        ("shuffledet-0.5x", 535_656, 1.588),
        ("shuffledet-0.25x", 202_776, 0.667),
    ],
)
def test_the_toy_detector_has_its_published_size(name: str, parameters: int, giga: float) -> None:
    assert DETECTORS[name].parameters == parameters
    assert round(DETECTORS[name].multiply_adds / 1e9, 3) == giga


@pytest.mark.parametrize("name", DETECTORS)
def test_the_default_number_of_shapes_is_told_without_building(name: str) -> None:
    assert num_anchor_shapes(name) == len(create(name, 1, (64, 64)).anchor_shapes)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadSpec, match="ssd-shufflenetv2-1x"):
        create("ssd-shufflenet", 3, (320, 240))


def test_a_detector_of_nothing_is_refused() -> None:
    with pytest.raises(BadSpec, match="at least one class"):
        create("shuffledet-1x", 0, (320, 240))


@pytest.mark.parametrize("shapes", [[(10.0, 0.0)], [(10.0, 10.0), (-1.0, 5.0)]])
def test_impossible_anchor_shapes_are_refused(shapes: list[tuple[float, float]]) -> None:
    with pytest.raises(BadSpec, match="anchor_shapes"):
        create("shuffledet-1x", 3, (320, 240), anchor_shapes=shapes)


def test_the_shapes_of_the_toy_detector_are_scaled_from_its_own_size() -> None:
    assert create("shuffledet-0.25x", 3, (1248, 384)).anchor_shapes[0] == (36, 37)
    assert create("shuffledet-0.25x", 3, (624, 192)).anchor_shapes[0] == (18, 18.5)

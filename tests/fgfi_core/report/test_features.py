from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from fgfi_core import data
from fgfi_core.data import Example
from fgfi_core.detectors import Detector, create
from fgfi_core.report.features import Masks, measure

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

SIZE = (64, 64)


def made(name: str, seed: int) -> Detector:
    torch.manual_seed(seed)
    return create(name, 1, SIZE).eval()


@pytest.fixture
def examples(voc: "VocFolder") -> tuple[Example, ...]:
    for name in ("first", "second", "third"):
        voc.add(name, size=(64, 64))
    return data.read(voc.root).splits["train"]


@pytest.fixture
def region() -> Callable[[Example], Masks]:
    mask = np.zeros((4, 4), np.bool_)
    mask[1:3, 1:3] = True
    return lambda _: [mask]


def test_a_student_with_the_teachers_own_map_is_at_no_distance(
    examples: tuple[Example, ...], region: Callable[[Example], Masks]
) -> None:
    teacher, other = made("ssd-shufflenetv2-0.25x", 0), made("ssd-shufflenetv2-0.25x", 1)
    found = measure(teacher, {"plain": other, "imitated": teacher}, examples, examples, region)
    (same,), (different,) = found.unexplained["imitated"], found.unexplained["plain"]
    assert same.inside is not None
    assert different.inside is not None
    assert same.inside < 0.05 < different.inside
    assert found.maps["first"]["imitated"][0].shape == (4, 4)
    assert found.maps["first"]["imitated"][0].mean() < found.maps["first"]["plain"][0].mean()
    assert (found.fitted, found.measured, found.strides) == (3, 3, (16,))


def test_channels_that_differ_are_brought_to_the_teachers(
    examples: tuple[Example, ...], region: Callable[[Example], Masks]
) -> None:
    teacher, student = made("ssd-shufflenetv2-0.5x", 0), made("ssd-shufflenetv2-0.25x", 0)
    found = measure(teacher, {"imitated": student}, examples[:2], examples[2:], region)
    assert list(found.maps) == ["third"]
    assert np.isfinite(found.maps["third"]["imitated"][0]).all()


def test_a_region_of_everything_leaves_nothing_outside(examples: tuple[Example, ...]) -> None:
    teacher = made("ssd-shufflenetv2-0.25x", 0)
    found = measure(teacher, {"imitated": teacher}, examples, examples, lambda _: [np.ones((4, 4), np.bool_)])
    assert found.unexplained["imitated"][0].outside is None

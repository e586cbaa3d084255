"""Names and shapes of a file against those of a detector."""

import pytest
import torch

from fgfi_core.detectors import Detector, create
from fgfi_core.detectors.fit import fit

Shapes = dict[str, tuple[int, ...]]


@pytest.fixture
def detector() -> Detector:
    torch.manual_seed(0)
    return create("ssd-shufflenetv2-0.25x", 2, (64, 64))


@pytest.fixture
def shapes(detector: Detector) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in detector.state_dict().items()}


def test_its_own_tensors_fit(detector: Detector, shapes: Shapes) -> None:
    assert fit(detector, shapes).is_whole


def test_every_difference_is_named_in_its_kind(detector: Detector, shapes: Shapes) -> None:
    first, second, *_ = (name for name in shapes if name.endswith(".weight"))
    right = shapes[second]
    changed = {**shapes, "more": (1,), second: (1, 2, 3)}
    del changed[first]

    found = fit(detector, changed)

    assert (found.missing, found.unexpected, found.wrong_shape) == ((first,), ("more",), {second: right})
    assert not found.is_whole


def test_the_count_that_norms_keep_may_be_missing(detector: Detector, shapes: Shapes) -> None:
    read = {name: shape for name, shape in shapes.items() if not name.endswith(".num_batches_tracked")}
    assert len(read) < len(shapes)
    assert fit(detector, read).is_whole


def test_torchvisions_names_are_found_one_level_deeper() -> None:
    torch.manual_seed(0)
    wrapped = create("ssdlite320-mobilenet-v3", 2, (64, 64))
    theirs = {name.removeprefix("model."): tuple(t.shape) for name, t in wrapped.state_dict().items()}

    assert fit(wrapped, theirs).missing == ()
    assert fit(wrapped, theirs).names == {name: f"model.{name}" for name in theirs}

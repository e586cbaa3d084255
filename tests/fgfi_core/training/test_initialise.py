"""First weights: what is loaded, what stays fresh, and what is refused by name."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from fgfi_core.detectors import Detector, create
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.export import safetensors
from fgfi_core.training.initialise import from_file, from_imagenet, from_teacher

SIZE = (64, 64)
SMALL, LARGE = "ssd-shufflenetv2-0.25x", "ssd-shufflenetv2-1x"


def fresh(name: str = SMALL, classes: int = 3, seed: int = 0) -> Detector:
    torch.manual_seed(seed)
    return create(name, classes, SIZE)


def saved(detector: Detector, folder: Path) -> Path:
    path, _ = safetensors.write(detector, [str(i) for i in range(detector.num_classes)], folder)
    return path


def test_a_file_of_the_same_detector_is_loaded_whole(tmp_path: Path) -> None:
    source, detector = fresh(seed=1), fresh(seed=2)
    assert from_file(detector, saved(source, tmp_path), complete=True) == ()
    for ours, theirs in zip(detector.state_dict().values(), source.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_other_classes_keep_fresh_class_outputs_and_take_the_rest(tmp_path: Path) -> None:
    source, detector = fresh(classes=7, seed=1), fresh(classes=3, seed=2)
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    names = from_file(detector, saved(source, tmp_path), complete=False)
    assert set(names) == {"class_head.weight", "class_head.bias"}
    assert torch.equal(detector.state_dict()["class_head.weight"], before["class_head.weight"])
    assert torch.equal(detector.state_dict()["box_head.weight"], source.state_dict()["box_head.weight"])


def test_a_teacher_that_is_taken_as_it_is_must_have_the_same_classes(tmp_path: Path) -> None:
    path = saved(fresh(classes=7), tmp_path)
    with pytest.raises(BadData, match=r"'class_head.weight' is \[72, 48, 3, 3\] and should be \[36, 48, 3, 3\]"):
        from_file(fresh(classes=3), path, complete=True)


def test_another_detectors_file_is_refused_with_what_differs(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"does not fit 'ssd-shufflenetv2-0.25x'.*trunk.*and \d+ more"):
        from_file(fresh(), saved(fresh(LARGE), tmp_path), complete=False)


def test_a_file_that_is_no_safetensors_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"not a tensor in sight")
    with pytest.raises(BadData, match=r"weights.safetensors cannot be read as safetensors"):
        from_file(fresh(), path, complete=False)


def test_names_one_level_up_are_taken_as_torchvisions(tmp_path: Path) -> None:
    class Wrapped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = torch.nn.Linear(2, 2)

    detector = Wrapped()
    path = tmp_path / "torchvision.safetensors"
    save_file({"weight": torch.ones(2, 2), "bias": torch.zeros(2)}, path)
    detector.freeze = lambda: None  # type: ignore[assignment, method-assign, unused-ignore]  # a detector's, not a module's
    assert from_file(detector, path, complete=True) == ()  # type: ignore[arg-type]  # names are all that is looked at
    assert detector.model.weight.sum() == 4


def test_a_file_says_which_anchor_shapes_its_weights_belong_to(tmp_path: Path) -> None:
    detector = create(SMALL, 2, SIZE, anchor_shapes=[(10.0, 12.0), (20.0, 8.5)])
    held = safetensors.anchor_shapes(saved(detector, tmp_path))
    assert held == (((10.0, 12.0), (20.0, 8.5)), SIZE)


def test_a_file_of_somebody_elses_says_nothing_of_anchors(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(1)}, tmp_path / "other.safetensors", metadata={"anchor_shapes": json.dumps("no")})
    assert safetensors.anchor_shapes(tmp_path / "other.safetensors") is None


def test_a_slice_is_the_leading_channels_of_the_teachers() -> None:
    teacher, student = fresh(LARGE, seed=1), fresh(SMALL, seed=2)
    share = from_teacher(student, teacher)
    theirs = teacher.state_dict()
    assert share > 0.9
    for name, tensor in student.state_dict().items():
        if all(a >= b for a, b in zip(theirs[name].shape, tensor.shape, strict=True)):
            assert torch.equal(tensor, theirs[name][tuple(slice(n) for n in tensor.shape)])


def test_nothing_to_cut_out_is_an_error() -> None:
    with pytest.raises(BadSpec, match=r"no tensor of 'shuffledet-0.25x' can be cut out"):
        from_teacher(create("shuffledet-0.25x", 2, SIZE), fresh())


def test_a_detector_without_imagenet_weights_says_so() -> None:
    with pytest.raises(BadSpec, match=r"no ImageNet weights for 'ssd-shufflenetv2-0.25x'"):
        from_imagenet(fresh())

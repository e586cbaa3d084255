"""student.safetensors and student.json: the student alone, the same detector when read, and clear errors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from fgfi_core.detectors import Detector
from fgfi_core.errors import BadData
from fgfi_core.export import safetensors
from fgfi_core.imitation import Adapter, imitation_loss

STUDENT = "ssd-shufflenetv2-0.25x"
CLASSES = ("car", "pedestrian", "cyclist")


@pytest.fixture
def folder(trained: Callable[[str], Detector], tmp_path: Path) -> Path:
    safetensors.write(trained(STUDENT), CLASSES, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", [STUDENT, "shuffledet-0.25x"])
def test_what_is_read_detects_what_was_written(
    name: str, trained: Callable[[str], Detector], images: Tensor, tmp_path: Path
) -> None:
    detector = trained(name)
    safetensors.write(detector, CLASSES, tmp_path)
    read, classes = safetensors.read(tmp_path)
    assert classes == CLASSES
    assert (read.name, read.image_size, read.anchor_shapes) == (name, (160, 128), detector.anchor_shapes)
    with torch.no_grad():
        for got, wanted in zip(read.detect(images), detector.detect(images), strict=True):
            assert len(wanted.scores) > 0
            for a, b in zip(got, wanted, strict=True):
                assert torch.equal(a, b)


def test_the_file_of_an_imitating_student_holds_no_tensor_of_teacher_or_adapter(
    trained: Callable[[str], Detector], images: Tensor, tmp_path: Path
) -> None:
    student, teacher = trained(STUDENT), trained("ssd-shufflenetv2-1x")
    adapter = Adapter(student.channels()[0], teacher.channels()[0])
    mask = torch.ones(4, 8, 10, dtype=torch.bool)
    loss = imitation_loss([adapter], student.features(images), teacher.features(images), [mask])
    torch.autograd.backward(loss)
    weights, _ = safetensors.write(student, CLASSES, tmp_path)
    assert set(load_file(weights)) == set(trained(STUDENT).state_dict())


def test_reading_leaves_the_random_numbers_alone(folder: Path) -> None:
    before = torch.random.get_rng_state()
    safetensors.read(folder)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_truncated_weights_file_is_named(folder: Path) -> None:
    weights = folder / "student.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(BadData, match=r"student\.safetensors"):
        safetensors.read(folder)


@pytest.mark.parametrize("name", ["student.safetensors", "student.json"])
def test_a_missing_file_is_named(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(BadData, match=name.replace(".", r"\.")):
        safetensors.read(folder)


def edit_tensors(folder: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(folder / "student.safetensors")
    edit(tensors)
    save_file(tensors, folder / "student.safetensors")


@pytest.mark.parametrize(
    "edit",
    [
        lambda tensors: tensors.pop("box_head.weight"),
        lambda tensors: tensors.update({"box_head.weight": torch.zeros(2, 2)}),
        lambda tensors: tensors.update({"box_head.weight": tensors["box_head.weight"].half()}),
    ],
    ids=["missing", "other shape", "other type"],
)
def test_a_wrong_tensor_is_named(edit: Callable[[dict[str, Tensor]], object], folder: Path) -> None:
    edit_tensors(folder, edit)
    with pytest.raises(BadData, match=r"student\.safetensors.*box_head\.weight"):
        safetensors.read(folder)


def test_a_tensor_too_many_is_named(folder: Path) -> None:
    edit_tensors(folder, lambda tensors: tensors.update({"adapter.weight": torch.zeros(1)}))
    with pytest.raises(BadData, match=r"adapter\.weight"):
        safetensors.read(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"detector": "ssd-shufflenetv2-3x"}, "ssd-shufflenetv2-3x"),
        ({"version": 2}, "version"),
        ({"classes": ["car"]}, "num_classes"),
        ({"anchor_shapes": []}, "anchor_shapes"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_description_that_is_not_a_students_says_what_is_wrong(
    change: dict[str, Any], says: str, folder: Path
) -> None:
    path = folder / "student.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadData, match=says) as caught:
        safetensors.read(folder)
    assert "student.json" in str(caught.value)


def test_a_description_that_is_no_json_is_named(folder: Path) -> None:
    (folder / "student.json").write_bytes(b"\xff\xfe not json")
    with pytest.raises(BadData, match=r"student\.json"):
        safetensors.read(folder)

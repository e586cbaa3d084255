"""Weights held against their detector: every tensor that differs, by its kind."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from fgfi_core.detectors import create
from fgfi_core.export import safetensors
from worker.model_inspection import ASKED, WEIGHTS, Found, inspect

DETECTOR, CLASSES, SIZE = "ssd-shufflenetv2-0.25x", ("cell", "dot"), (64, 64)


@pytest.fixture
def tensors(tmp_path: Path) -> dict[str, Tensor]:
    """Those of the detector; the folder asks for it."""
    torch.manual_seed(0)
    detector = create(DETECTOR, len(CLASSES), SIZE)
    asked = {"detector": DETECTOR, "classes": CLASSES, "image_size": SIZE, "anchor_shapes": detector.anchor_shapes}
    (tmp_path / ASKED).write_text(json.dumps(asked))
    weights, _ = safetensors.write(detector, CLASSES, tmp_path)
    return load_file(weights)


def found(folder: Path, tensors: dict[str, Tensor]) -> Found:
    save_file(tensors, folder / WEIGHTS)
    return inspect(folder)


def test_the_detectors_own_weights_fit(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    answer = found(tmp_path, tensors)
    assert (answer.fits, answer.tensors) == (True, len(tensors))
    assert answer.parameters == sum(tensor.numel() for tensor in tensors.values())


def test_every_tensor_that_differs_is_listed(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    first, second, third, *_ = (name for name, tensor in tensors.items() if tensor.dim() == 4)
    right = tuple(tensors[second].shape)
    del tensors[first]
    changes = {second: torch.zeros(1, 2), third: tensors[third] * float("nan"), "more": torch.zeros(1)}

    answer = found(tmp_path, {**tensors, **changes})

    assert (answer.fits, answer.differences) == (False, 4)
    assert (answer.missing, answer.unexpected, answer.not_finite) == ((first,), ("more",), (third,))
    (other,) = answer.wrong_shape
    assert (other.name, other.found, other.expected) == (second, (1, 2), right)
    for name in (first, second, third, "more"):
        assert name in answer.summary


def test_what_cannot_be_read_is_said_and_not_compared(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors, tmp_path / WEIGHTS)
    whole = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[:-1])

    answer = inspect(tmp_path)

    assert not answer.fits
    assert answer.error is not None
    assert answer.error["code"] == "bad_model_file"


def test_an_architecture_that_cannot_be_is_said(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    asked = {"detector": "retinanet-resnet18-fpn", "classes": CLASSES, "image_size": SIZE, "anchor_shapes": [[8, 8]]}
    (tmp_path / ASKED).write_text(json.dumps(asked))
    assert found(tmp_path, tensors).error is not None

"""The export stage: every file is loaded, compared, scored and timed."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fgfi_core.detectors import Detector
from fgfi_core.export import DetectFn, export_all

CLASSES = ("car", "pedestrian", "cyclist")


@pytest.mark.parametrize("name", ["ssd-shufflenetv2-0.25x", "shuffledet-0.25x"])
def test_every_format_is_written_measured_and_in_parity(
    name: str, trained: Callable[[str], Detector], images: Tensor, tmp_path: Path
) -> None:
    detector = trained(name)
    with torch.no_grad():
        wanted = sum(len(found.scores) for found in detector.detect(images))

    def score(detect: DetectFn) -> float:
        return float(sum(len(found.scores) for found in detect(images)))

    exports = export_all(detector, CLASSES, ("safetensors", "onnx"), tmp_path / "exports", images, score)

    assert [export.format for export in exports] == ["safetensors", "onnx"]
    assert [export.path for export in exports] == ["exports/student.safetensors", "exports/student.onnx"]
    for export in exports:
        content = (tmp_path / export.path).read_bytes()
        assert (export.size, export.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert export.parity
        assert export.max_box_difference < 1e-3
        assert export.map50 == wanted
        assert export.latency_ms > 0


def test_only_the_formats_asked_for_are_written(
    trained: Callable[[str], Detector], images: Tensor, tmp_path: Path
) -> None:
    export_all(trained("ssd-shufflenetv2-0.25x"), CLASSES, ("onnx",), tmp_path, images[:1], lambda _: 0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["student.onnx"]


def test_a_detector_in_training_and_in_another_layout_is_exported_as_in_eval_and_left_as_it_was(
    trained: Callable[[str], Detector], images: Tensor, tmp_path: Path
) -> None:
    detector = trained("ssd-shufflenetv2-0.25x").train().to(memory_format=torch.channels_last)
    exports = export_all(detector, CLASSES, ("safetensors", "onnx"), tmp_path, images, lambda _: 0.0)
    assert all(export.parity for export in exports)
    assert detector.training
    assert detector.get_parameter("box_head.weight").is_contiguous(memory_format=torch.channels_last)


def test_a_file_that_is_being_uploaded_keeps_its_content_when_it_is_written_anew(
    trained: Callable[[str], Detector], images: Tensor, tmp_path: Path
) -> None:
    """The worker holds by a link what it has not stored yet, while a stage that runs again writes the same names."""
    folder, names = tmp_path / "exports", ("student.safetensors", "student.json", "student.onnx")
    folder.mkdir()
    for name in names:
        (folder / name).write_text("of the run before")
        (tmp_path / name).hardlink_to(folder / name)
    export_all(trained("ssd-shufflenetv2-0.25x"), CLASSES, ("safetensors", "onnx"), folder, images[:1], lambda _: 0.0)
    for name in names:
        assert (tmp_path / name).read_text() == "of the run before"
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)

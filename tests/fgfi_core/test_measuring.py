from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from fgfi_core.detectors import create
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.export import safetensors
from fgfi_core.measuring import _as_data, _detector
from fgfi_core.spec.evaluation import EvaluationSpec
from fgfi_core.spec.schedule import Resources
from fgfi_core.training.device import choose


def test_labels_are_counted_as_the_data_counts_and_spare_classes_are_left_out() -> None:
    boxes = np.arange(16, dtype=np.float32).reshape(4, 4)
    found = ImageDetections(boxes, np.array([0.9, 0.8, 0.7, 0.6], np.float32), np.array([2, 0, 1, 2]))
    (moved,) = _as_data([found], ("spare", "dot", "cell"), ("cell", "dot"))
    assert moved.labels.tolist() == [0, 1, 0]
    assert np.array_equal(moved.boxes, boxes[[0, 2, 3]])
    assert np.allclose(moved.scores, [0.9, 0.7, 0.6])


@pytest.mark.parametrize(("asked", "taken"), [("auto", "fit"), ("fit", "fit"), ("stretch", "stretch")])
def test_images_come_to_the_input_as_in_the_training_unless_told_otherwise(
    asked: Literal["auto", "stretch", "fit"], taken: str, tmp_path: Path
) -> None:
    resources = Resources(device="cpu", threads=1)
    trained = create("ssd-shufflenetv2-0.25x", 1, (64, 64), resize="fit")
    weights, _ = safetensors.write(trained, ("cell",), tmp_path)
    spec = EvaluationSpec(name="again", model="mdl", dataset={"id": "ds"}, resize=asked, resources=resources)

    detector, _ = _detector(weights, spec, choose(resources, "auto"))

    assert detector.resize == taken

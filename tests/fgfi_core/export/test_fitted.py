"""A student whose images keep their aspect ratio: its files say so, and score what it scores."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import EvalLoader
from fgfi_core.detectors import Detections, Detector
from fgfi_core.evaluation.detections import ImageDetections, detect_all, to_original
from fgfi_core.evaluation.voc import evaluate
from fgfi_core.export import onnx, safetensors

CLASSES = ("car", "pedestrian", "cyclist")
SIZES = [(90, 200), (200, 60), (160, 128)]
Find = Callable[[Tensor], Sequence[Detections]]


@pytest.fixture
def student(trained: Callable[[str], Detector]) -> Detector:
    detector = trained("ssd-shufflenetv2-0.25x")
    detector.resize = "fit"
    return detector


@pytest.fixture
def examples(student: Detector, tmp_path: Path) -> list[Example]:
    """Images of three shapes, labelled with the student's own best boxes: on them it is nearly perfect."""
    made = []
    for number, (width, height) in enumerate(SIZES):
        coarse = np.random.default_rng(number).integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR).save(tmp_path / f"{number}.png")
        nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_)
        made.append(Example(str(number), tmp_path / f"{number}.png", width, height, *nothing))
    return [
        replace(example, boxes=found.boxes[best], labels=found.labels[best], difficult=np.zeros(len(best), np.bool_))
        for example, found in zip(made, detect_all(student, EvalLoader(made, student.frame, 2)), strict=True)
        if len(best := _with_area(found)[:5])
    ]


def _with_area(found: ImageDetections) -> "np.ndarray":
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    return np.flatnonzero((sides > 8).all(axis=1))


def score(find: Find, frame: Frame, examples: Sequence[Example]) -> float:
    found = [
        to_original(one, frame, example)
        for batch in EvalLoader(examples, frame, 2)
        for one, example in zip(find(batch.images), batch.examples, strict=True)
    ]
    return evaluate(found, examples, CLASSES).to_score().map50


def test_its_files_score_what_it_scores_on_images_of_any_shape(
    student: Detector, examples: list[Example], tmp_path: Path
) -> None:
    with torch.no_grad():
        wanted = score(student.detect, student.frame, examples)
        assert len(examples) == len(SIZES)
        assert wanted > 0.3
        # A reader that stretched the images would not see what the student sees.
        assert score(student.detect, Frame(student.image_size), examples) < wanted

        safetensors.write(student, CLASSES, tmp_path)
        read, _ = safetensors.read(tmp_path)
        assert read.frame == Frame((160, 128), "fit")
        assert score(read.detect, read.frame, examples) == pytest.approx(wanted)

    session = onnx.Session(onnx.write(student, CLASSES, tmp_path / "student.onnx"))
    assert session.frame == Frame((160, 128), "fit")

    def find(images: Tensor) -> list[Detections]:
        return [Detections(*map(torch.from_numpy, found)) for found in session.detect(images.numpy())]

    assert score(find, session.frame, examples) == pytest.approx(wanted)


def test_a_student_of_an_older_version_stretches(student: Detector, tmp_path: Path) -> None:
    student.resize = "stretch"
    safetensors.write(student, CLASSES, tmp_path)
    assert (
        '"resize": "bilinear, antialiased, to image_size whatever the aspect ratio"'
        in (tmp_path / safetensors.DESCRIPTION).read_text()
    )
    assert safetensors.read(tmp_path)[0].frame == Frame((160, 128))

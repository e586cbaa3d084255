"""A whole job whose images keep their aspect ratio."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fgfi_core
from fgfi_core.export.onnx import Session
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder


@pytest.fixture
def shapes(voc: "VocFolder") -> Path:
    """Images of three shapes with one large box each, which even a detector of a few steps may hit."""
    for split, count in (("train", 6), ("val", 3)):
        for i in range(count):
            width, height = [(60, 120), (120, 60), (90, 90)][i % 3]
            voc.add(f"{split}{i}", [("cell", (2, 2, width - 2, height - 2))], size=(width, height), split=split)
    return voc.root


def test_its_files_score_what_the_student_scored_and_know_how_images_lie(
    spec: Callable[..., JobSpec], shapes: Path, tmp_path: Path
) -> None:
    schedule = {"epochs": 8, "batch_size": 2, "image_size": [96, 64], "resize": "fit", "evaluate_every": 8}
    job = spec(schedule=schedule, baseline=False)

    result = fgfi_core.run(job, shapes, tmp_path / "out", lambda _: None)

    resolved = json.loads((tmp_path / "out" / "resolved.json").read_text())["resolved"]
    assert resolved["spec"]["schedule"]["resize"] == "fit"
    (student,) = [one for one in result.trainings if one.role == "imitated"]
    assert student.score.map50 > 0
    for export in result.exports:
        assert export.parity
        assert export.map50 == pytest.approx(student.score.map50, abs=1e-6)
    assert Session(tmp_path / "out" / "exports" / "student.onnx").frame.resize == "fit"

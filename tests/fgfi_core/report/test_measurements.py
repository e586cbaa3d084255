from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fgfi_core import data
from fgfi_core.evaluation.detections import NOTHING, ImageDetections
from fgfi_core.report.inputs import Run
from fgfi_core.report.measurements import completed, measure_all
from fgfi_core.results import JobEvaluation, JobResult, Score, Training

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

RUNS: tuple[Run, ...] = (("teacher", 0), ("plain", 0), ("imitated", 0), ("plain", 1), ("imitated", 1))


@pytest.fixture
def evaluation(voc: "VocFolder") -> JobEvaluation:
    """The imitating student of seed 1 finds the box, the plain one of either seed does not."""
    voc.add("first")
    dataset = data.read(voc.root)
    (example,) = dataset.splits["train"]
    box = ImageDetections(example.boxes, np.array([0.9], np.float32), example.labels)
    finds: tuple[Run, ...] = (("teacher", 0), ("imitated", 1))
    detections = {run: [box if run in finds else NOTHING] for run in RUNS}
    return measure_all(detections, [example], dataset.classes, ("voc", "coco"))


def old_result() -> dict[str, object]:
    """A result as it was written before gains and further rules."""
    score = Score(map50=0.5, map50_11=0.5, ap50={"cell": 0.5})
    trainings = tuple(
        Training(role=role, detector="ssd-shufflenetv2-1x", seed=seed, score=score, best_step=1, steps=1, seconds=1)
        for role, seed in RUNS
    )
    result = JobResult(name="old", classes=("cell",), trainings=trainings, exports=(), seconds=5)
    return result.model_dump(mode="json", exclude={"gain": True, "trainings": {"__all__": {"coco", "kitti"}}})


def test_students_are_paired_seed_by_seed(evaluation: JobEvaluation) -> None:
    assert list(evaluation.helped) == [0, 1]
    assert [len(evaluation.helped[seed].gained) for seed in (0, 1)] == [0, 1]
    assert evaluation.gain is not None
    assert evaluation.gain.differences == (0.0, 1.0)
    assert evaluation.gain.distinguishable is False


def test_an_old_result_is_still_read_and_can_be_completed(evaluation: JobEvaluation) -> None:
    before = JobResult.model_validate(old_result())
    assert before.gain is None
    result = completed(before, evaluation)
    assert result.gain == evaluation.gain
    numbers = [training.coco for training in result.trainings]
    assert [one.ap50 if one else None for one in numbers] == pytest.approx([1, 0, 0, 0, 1])
    assert {training.kitti for training in result.trainings} == {None}


def test_what_is_written_is_read_back(evaluation: JobEvaluation, tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(evaluation.model_dump_json())
    assert JobEvaluation.model_validate_json(path.read_text()) == evaluation

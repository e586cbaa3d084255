"""A teacher from a file, whose classes are the data's, or are not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from fgfi_core.detectors import create
from fgfi_core.errors import BadData
from fgfi_core.export import safetensors
from fgfi_core.preflight import class_map
from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.spec import JobSpec

TEACHER = "ssd-shufflenetv2-0.5x"

Verdicts = Callable[[Sequence[str] | None, int], list[Verdict]]


@pytest.fixture
def verdicts(spec: Callable[..., JobSpec], images: Path, subject: Callable[..., Subject], tmp_path: Path) -> Verdicts:
    """For a teacher's file of these classes, trained for so many more epochs; the data's are cell and dot."""

    def check(classes: Sequence[str] | None, epochs: int) -> list[Verdict]:
        file = tmp_path / safetensors.WEIGHTS
        if classes is None:
            save_file({"w": torch.zeros(1)}, file)
        else:
            safetensors.write(create(TEACHER, len(classes), (64, 64)), classes, tmp_path)
        job = spec(teacher={"detector": TEACHER, "init": "file", "epochs": epochs})
        return list(class_map.check(subject(job, images, weights={"teacher": file})))

    return check


def test_the_same_classes_in_the_same_order_pass(verdicts: Verdicts) -> None:
    (verdict,) = verdicts(["cell", "dot"], 0)
    assert verdict.severity == "ok"


def test_a_shuffled_class_map_is_refused_with_the_mapping(verdicts: Verdicts) -> None:
    (verdict,) = verdicts(["dot", "cell"], 0)
    assert verdict.severity == "refused"
    assert "another order: 0 is 'dot' there and 'cell' here, 1 is 'cell' there and 'dot' here" in verdict.message
    assert "in the teacher's order (dot, cell)" in verdict.hint
    assert verdict.error is BadData
    assert not verdict.judgement


def test_a_teacher_of_other_classes_is_refused_with_both_lists(verdicts: Verdicts) -> None:
    (verdict,) = verdicts(["car", "van", "tram"], 0)
    assert verdict.severity == "refused"
    assert "trained on the classes car, van, tram; the data has cell, dot" in verdict.message
    assert "teacher.epochs above 0" in verdict.hint


def test_a_teacher_that_is_trained_on_may_begin_with_other_classes(verdicts: Verdicts) -> None:
    (verdict,) = verdicts(["dot", "cell"], 1)
    assert verdict.severity == "warning"
    assert "Training on will mend it" in verdict.message


def test_a_file_that_does_not_say_its_classes_is_warned_of(verdicts: Verdicts) -> None:
    (verdict,) = verdicts(None, 0)
    assert verdict.severity == "warning"
    assert verdict.hint == "The data's, in order: cell, dot."

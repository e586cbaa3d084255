from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fgfi_core.preflight import anchors
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_fitted_anchors_reach_the_boxes_of_both_sides(spec: Spec, images: Path, subject: MakeSubject) -> None:
    teacher, student = anchors.check(subject(spec(), images))
    assert [teacher.severity, student.severity] == ["ok", "ok"]
    assert teacher.numbers["teacher_boxes_below_0.2"] == student.numbers["student_boxes_below_0.2"] == 0
    assert 0.2 < student.numbers["student_best_iou_median"] <= 1


def test_anchors_that_cannot_reach_the_boxes_are_refused(spec: Spec, voc: "VocFolder", subject: MakeSubject) -> None:
    """Boxes of one pixel at the network's input, and anchors of the family's own sizes."""
    for i in range(4):
        voc.add(f"train{i}", [("dot", (100 + 9 * i, 50, 106 + 9 * i, 56))], size=(400, 400))
    voc.add("val", [("dot", (100, 50, 106, 56))], size=(400, 400), split="val")
    verdicts = list(anchors.check(subject(spec(schedule={"anchors": "recipe"}), voc.root)))
    assert [verdict.severity for verdict in verdicts] == ["refused", "refused"]
    assert "100% of the boxes overlap no anchor of the teacher by IoU 0.2" in verdicts[0].message
    assert "schedule.anchors to 'data'" in verdicts[0].hint
    assert verdicts[1].numbers["student_boxes_below_0.5"] == 1

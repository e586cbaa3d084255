"""KITTI's rule and classes that it knows."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fgfi_core.preflight import rules
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_kittis_rule_measures_classes_of_its_names(spec: Spec, voc: "VocFolder", subject: MakeSubject) -> None:
    voc.add("a", [("Car", (10, 12, 60, 50))])
    voc.add("b", [("cyclist", (10, 12, 60, 50))], split="val")
    (verdict,) = rules.check(subject(spec(evaluation=["kitti"]), voc.root))
    assert verdict.severity == "ok"


def test_rules_that_measure_any_class_are_not_asked_about(spec: Spec, voc: "VocFolder", subject: MakeSubject) -> None:
    voc.add("a")
    voc.add("b", split="val")
    assert list(rules.check(subject(spec(evaluation=["voc07", "voc", "coco"]), voc.root))) == []

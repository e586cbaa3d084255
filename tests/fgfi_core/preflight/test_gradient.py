"""What moves the student's backbone, and what would never."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fgfi_core.imitation import StudentPass, registry
from fgfi_core.imitation.fine_grained import FineGrainedImitation
from fgfi_core.preflight import gradient
from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.preflight.pair import batch
from fgfi_core.results import Score
from fgfi_core.spec import FineGrained, JobSpec

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]
GOOD = Score(map50=0.9, map50_11=0.9, ap50={"cell": 0.9, "dot": 0.9})


def verdict(subject: Subject) -> Verdict:
    torch.manual_seed(0)
    (one,) = gradient.check(subject)
    return one


def weighing(job: JobSpec, weight: float) -> JobSpec:
    """With a weight that no spec may name."""
    return job.model_copy(update={"method": job.method.model_copy(update={"weight": weight})})


class Detached(FineGrainedImitation):
    """As a careless change would leave it: adapters fed from maps without a graph."""

    def forward(self, student: StudentPass) -> dict[str, Tensor]:
        return super().forward(student._replace(maps=[one.detach() for one in student.maps]))


def test_automatic_weights_give_imitation_its_share(spec: Spec, images: Path, subject: MakeSubject) -> None:
    found = verdict(subject(spec(method={"name": "fine-grained", "balance": 0.5}), images))
    assert found.severity == "ok"
    # Half at the map, by definition of `balance`; behind it the two directions differ a little.
    assert found.numbers["gradient_ratio"] == pytest.approx(0.5, rel=0.5)
    assert found.numbers["weight/imitation"] > 0


def test_a_small_number_for_a_weight_is_a_choice(spec: Spec, images: Path, subject: MakeSubject) -> None:
    assert verdict(subject(spec(method={"name": "fine-grained", "weight": 0.01}), images)).severity == "ok"


def test_an_adapter_detached_from_the_graph_is_refused(
    spec: Spec, images: Path, subject: MakeSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = dict(registry.IMITATIONS)
    planted[FineGrained] = Detached
    monkeypatch.setattr(registry, "IMITATIONS", planted)
    found = verdict(subject(spec(), images))
    assert found.severity == "refused"
    assert "does not move the student's backbone: its weighted gradient there is 0" in found.message
    assert "part of the graph" in found.hint
    assert not found.judgement


def test_an_imitation_of_weight_zero_is_refused(spec: Spec, images: Path, subject: MakeSubject) -> None:
    found = verdict(subject(weighing(spec(), 0.0), images))
    assert found.severity == "refused"
    assert "does not move the student's backbone" in found.message
    assert "method.weight to 'auto'" in found.hint


def test_a_weight_that_drowns_the_labels_is_warned_of(spec: Spec, images: Path, subject: MakeSubject) -> None:
    """Of a trained teacher: the maps of a fresh one are of no size that means anything."""
    assert verdict(subject(weighing(spec(), 1e9), images)).severity == "ok"
    found = verdict(subject(weighing(spec(), 1e9), images, score=GOOD))
    assert found.severity == "warning"
    assert "times as hard" in found.message


def test_a_weight_next_to_nothing_is_refused_before_a_teacher_is_trained_for_it(
    spec: Spec, images: Path, subject: MakeSubject
) -> None:
    found = verdict(subject(weighing(spec(), 1e-12), images))
    assert found.severity == "refused"
    assert found.judgement
    assert found.numbers["gradient_ratio"] < gradient.SURELY_NOTHING


def test_a_weight_that_may_be_too_small_is_warned_of_first_and_refused_with_the_trained_teacher(
    spec: Spec, images: Path, subject: MakeSubject
) -> None:
    asked = subject(spec(method={"name": "fine-grained", "weight": 1.0}), images)
    weight = 3e-9 / verdict(asked).numbers["gradient_ratio"]
    found = verdict(subject(weighing(spec(), weight), images))
    assert found.severity == "warning"
    assert "below 1e-06 is refused" in found.message
    found = verdict(subject(weighing(spec(), weight), images, score=GOOD))
    assert found.severity == "refused"
    assert found.judgement


def test_a_batch_without_a_region_is_not_taken_for_a_fault(spec: Spec, images: Path, subject: MakeSubject) -> None:
    found = verdict(subject(spec(method={"name": "hard-threshold", "threshold": 1.0}), images))
    assert found.severity == "warning"
    assert "none of 4 images has a cell to imitate" in found.message


def test_measuring_leaves_every_weight_as_it_was(spec: Spec, images: Path, subject: MakeSubject) -> None:
    asked = subject(spec(), images)
    pair = asked.pair
    assert pair is not None
    before = [parameter.clone() for parameter in pair.student.parameters()]
    gradient.measure(pair, batch(asked.bench, "student", 2), replace(asked.bench.placement))
    after = list(pair.student.parameters())
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert all(parameter.grad is None for parameter in after)

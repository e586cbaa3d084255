from collections.abc import Callable
from pathlib import Path

import pytest

from fgfi_core.preflight import region
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_a_region_near_the_objects_passes_with_its_shares(spec: Spec, images: Path, subject: MakeSubject) -> None:
    (verdict,) = region.check(subject(spec(), images))
    assert verdict.severity == "ok"
    assert 0 < verdict.numbers["region_share"] < 1
    assert verdict.numbers["boxes_without_region"] == verdict.numbers["level0/boxes_without_region"] == 0


def test_an_empty_region_is_refused(spec: Spec, images: Path, subject: MakeSubject) -> None:
    job = spec(method={"name": "hard-threshold", "threshold": 1.0})
    (verdict,) = region.check(subject(job, images))
    assert verdict.severity == "refused"
    assert "covers 0% of the maps and leaves out 100% of the boxes" in verdict.message
    assert "method.threshold" in verdict.hint
    assert verdict.judgement


@pytest.mark.parametrize(("name", "severity"), [("hard-threshold", "warning"), ("full-feature", "ok")])
def test_a_region_of_everything_is_warned_of_unless_asked_for(
    spec: Spec, images: Path, subject: MakeSubject, monkeypatch: pytest.MonkeyPatch, name: str, severity: str
) -> None:
    monkeypatch.setattr(region, "WHOLE_MAP", 0.3)
    fields = {"threshold": 0.0} if name == "hard-threshold" else {}
    (verdict,) = region.check(subject(spec(method={"name": name, **fields}), images))
    assert verdict.severity == severity
    assert ("full-feature imitation in all but name" in verdict.message) == (severity == "warning")


def test_a_method_without_a_region_is_not_asked(spec: Spec, images: Path, subject: MakeSubject) -> None:
    assert not list(region.check(subject(spec(method={"name": "pkd"}), images)))

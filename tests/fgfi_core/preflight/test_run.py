"""The pre-flight inside a job: what it refuses, what it tells, and that it moves nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

import fgfi_core
from fgfi_core import events
from fgfi_core.detectors import create
from fgfi_core.errors import BadData, BadSpec
from fgfi_core.export import safetensors
from fgfi_core.preflight import estimate, run, teacher
from fgfi_core.preflight.report import FILE, PreflightReport
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]


def report(out: Path) -> PreflightReport:
    return PreflightReport.model_validate_json((out / FILE).read_text())


def test_a_job_leaves_its_report_and_tells_each_finding(spec: Spec, images: Path, tmp_path: Path) -> None:
    seen: list[events.Event] = []
    fgfi_core.run(spec(baseline=False), images, tmp_path / "out", seen.append)
    found = report(tmp_path / "out")
    assert found.phases == ("start", "teacher")
    assert not found.refused()
    named = {finding.check for finding in found.findings}
    assert {"boxes", "anchors", "pairing", "map_shapes", "region", "gradient", "memory", "disk", "teacher"} <= named
    logs = [event.message for event in seen if isinstance(event, events.Log) and event.code == "gradient"]
    assert logs == [finding.message for finding in found.findings if finding.check == "gradient"]
    # Once after each phase, under the same name: the second takes the first one's place.
    written = [event for event in seen if isinstance(event, events.ArtifactWritten) and event.name == FILE]
    assert [event.path for event in written] == [FILE, FILE]
    (summary,) = [e.summary for e in seen if isinstance(e, events.StageFinished) and e.stage == "preflight"]
    assert summary["train_images"] == 4
    assert summary["region_share"] > 0


def test_every_refusal_of_a_phase_is_named_at_once(spec: Spec, voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a", [("cell", (10, 12, 60, 50))])
    voc.add("b", [("ghost", (10, 12, 60, 50))], split="val")
    shutil.copy(voc.root / "JPEGImages" / "a.png", voc.root / "JPEGImages" / "b.png")
    job = spec(method={"name": "hard-threshold", "threshold": 1.0})
    with pytest.raises(BadData, match="the pre-flight refuses 3 things") as raised:
        fgfi_core.run(job, voc.root, tmp_path / "out", lambda _: None)
    for text in ("(1) 'train' holds 1 of the 1 pictures", "(2) class 'ghost'", "(3) the imitation region covers 0%"):
        assert text in raised.value.message
    assert "(3) Lower method.threshold" in raised.value.hint
    assert [finding.check for finding in report(tmp_path / "out").refused()] == ["leaks", "class_coverage", "region"]


def test_a_broken_image_is_one_refusal_however_many_checks_come_upon_it(
    spec: Spec, images: Path, tmp_path: Path
) -> None:
    broken = images / "JPEGImages" / "train0.png"
    broken.write_bytes(broken.read_bytes()[:-60])
    with pytest.raises(BadData, match=r"^train0\.png: the image is broken"):
        fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None)
    (refusal,) = report(tmp_path / "out").refused()
    assert refusal.check == "leaks"


def test_a_rule_that_does_not_know_the_classes_is_refused_before_anything_trains(
    spec: Spec, images: Path, tmp_path: Path
) -> None:
    seen: list[events.Event] = []
    with pytest.raises(BadSpec, match="KITTI's evaluation knows Car, Pedestrian and Cyclist, not 'cell', 'dot'"):
        fgfi_core.run(spec(evaluation=["voc", "kitti"]), images, tmp_path / "out", seen.append)
    assert {event.stage for event in seen if isinstance(event, events.StageStarted)} == {"preflight"}


def test_a_teacher_with_a_shuffled_class_map_never_gets_to_teach(spec: Spec, images: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    file, _ = safetensors.write(create("ssd-shufflenetv2-0.5x", 2, (64, 64)), ["dot", "cell"], tmp_path)
    job = spec(teacher={"detector": "ssd-shufflenetv2-0.5x", "init": "file", "epochs": 0}, preflight={"force": True})
    seen: list[events.Event] = []
    with pytest.raises(BadData, match=r"classes in another order: 0 is 'dot' there and 'cell' here.*dot, cell"):
        fgfi_core.run(job, images, tmp_path / "out", seen.append, weights={"teacher": file})
    assert {event.stage for event in seen if isinstance(event, events.StageStarted)} == {"preflight"}


def test_no_teacher_is_trained_for_an_imitation_of_next_to_no_weight(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(method={"name": "fine-grained", "weight": 1e-12})
    seen: list[events.Event] = []
    with pytest.raises(BadSpec, match="does not move the student's backbone"):
        fgfi_core.run(job, images, tmp_path / "out", seen.append)
    assert {event.stage for event in seen if isinstance(event, events.StageStarted)} == {"preflight"}


def test_force_goes_on_with_judgements_and_never_with_what_cannot_be_trained(
    spec: Spec, voc: "VocFolder", tmp_path: Path
) -> None:
    voc.add("a", [("cell", (10, 12, 60, 50))])
    voc.add("b", [("ghost", (10, 12, 60, 50))], split="val")
    voc.list_image("b")
    voc.list_image("c")
    voc.add("c", [], split="val")
    job = spec(preflight={"force": True}, method={"name": "hard-threshold", "threshold": 1.0})
    with pytest.raises(BadSpec, match="share 2 images"):
        fgfi_core.run(job, voc.root, tmp_path / "out", lambda _: None)
    assert [finding.check for finding in report(tmp_path / "out").refused()] == ["shared_images"]
    assert "region" in [finding.check for finding in report(tmp_path / "out").warnings()]


def test_a_refused_teacher_can_be_forced_later_without_training_it_again(
    spec: Spec, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher, "TRIAL_STEPS", 0)
    fields: dict[str, Any] = {"baseline": False, "schedule": {"epochs": 1}}
    strict = spec(preflight={"teacher_floor": 1.0}, **fields)
    first: list[events.Event] = []
    with pytest.raises(BadSpec, match=r"below the floor of 1 \(preflight.teacher_floor\)"):
        fgfi_core.run(strict, images, tmp_path / "out", first.append)
    assert [e.stage for e in first if isinstance(e, events.StageStarted)] == ["preflight", "teacher"]

    seen: list[events.Event] = []
    forced = spec(preflight={"teacher_floor": 1.0, "force": True}, **fields)
    fgfi_core.run(forced, images, tmp_path / "out", seen.append)
    assert [e.stage for e in seen if isinstance(e, events.Progress) and e.stage == "teacher"] == []
    assert report(tmp_path / "out").warnings()[0].check == "teacher"
    assert report(tmp_path / "out").phases == ("start", "teacher")


def test_a_run_that_goes_on_does_not_find_out_again(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(baseline=False)
    fgfi_core.run(job, images, tmp_path / "out", lambda _: None)
    before = (tmp_path / "out" / FILE).read_bytes()
    seen: list[events.Event] = []
    fgfi_core.run(job, images, tmp_path / "out", seen.append)
    assert (tmp_path / "out" / FILE).read_bytes() == before
    assert not [event for event in seen if isinstance(event, events.Log) and event.code == "gradient"]


def test_results_are_the_same_bit_for_bit_with_and_without_a_preflight(
    spec: Spec, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec(method={"name": "mgd", "balance_steps": 1})  # Draws chance of its own in every step.
    monkeypatch.setattr(estimate, "LEAST_STEPS", 0)
    fgfi_core.run(job, images, tmp_path / "with", lambda _: None)
    assert report(tmp_path / "with").estimate()["total_seconds"] > 0

    monkeypatch.setattr(run, "CHECKS", {"start": (), "teacher": ()})
    bare = job.model_copy(update={"schedule": job.schedule.model_copy(update={"micro_batch": 2})})
    fgfi_core.run(bare, images, tmp_path / "without", lambda _: None)
    for stage in ("teacher-0", "baseline-0", "imitation-0"):
        one, other = (
            torch.load(tmp_path / out / "checkpoints" / stage / "final.pt", weights_only=True)
            for out in ("with", "without")
        )
        assert one["history"] == other["history"]
        assert all(torch.equal(weight, other["weights"][name]) for name, weight in one["weights"].items())


def test_a_batch_in_parts_trains_to_the_end(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(schedule={"batch_size": 4, "micro_batch": 2}, baseline=False)
    fgfi_core.run(job, images, tmp_path / "out", lambda _: None)
    resolved = json.loads((tmp_path / "out" / "resolved.json").read_text())["resolved"]
    assert resolved["spec"]["schedule"]["micro_batch"] == 2
    (finding,) = [one for one in report(tmp_path / "out").findings if one.check == "memory"]
    assert finding.numbers == {"batch_size": 4, "micro_batch": 2, "micro_batches": 2}

"""A whole job on a handful of made-up images, and its life across interruptions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

import fgfi_core
from fgfi_core import events
from fgfi_core.errors import BadData, BadSpec, Diverged, Stopped
from fgfi_core.spec import JobSpec
from worker.runner import with_micro_batch

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]


def test_a_job_ends_with_every_role_measured_and_every_export_delivered(
    spec: Spec, images: Path, tmp_path: Path
) -> None:
    seen: list[events.Event] = []
    result = fgfi_core.run(spec(), images, tmp_path / "out", seen.append)
    assert [t.role for t in result.trainings] == ["teacher", "plain", "imitated"]
    assert {e.format for e in result.exports} == {"safetensors", "onnx"}
    stages = [e.stage for e in seen if isinstance(e, events.StageStarted)]
    assert stages == ["preflight", "teacher", "baseline", "imitation", "export", "report"]
    artifacts = {e.name for e in seen if isinstance(e, events.ArtifactWritten)}
    assert {"student.safetensors", "student.json", "student.onnx", "report.html"} <= artifacts
    files = [e for e in seen if isinstance(e, events.ArtifactWritten | events.CheckpointSaved)]
    for path, event in {e.path: e for e in files if "step-" not in e.path}.items():  # The last word on each.
        assert (tmp_path / "out" / path).stat().st_size == event.size
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == result.model_dump(mode="json")


def test_every_event_survives_its_json_line(spec: Spec, images: Path, tmp_path: Path) -> None:
    seen: list[events.Event] = []
    fgfi_core.run(spec(), images, tmp_path / "out", seen.append)
    for event in seen:
        assert events.parse(event.model_dump_json()) == event


def test_a_finished_run_called_again_trains_nothing(spec: Spec, images: Path, tmp_path: Path) -> None:
    first = fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None)
    seen: list[events.Event] = []
    again = fgfi_core.run(spec(), images, tmp_path / "out", seen.append)
    trained = {e.stage for e in seen if isinstance(e, events.StageStarted | events.Progress | events.Metrics)}
    assert trained == {"preflight", "export", "report"}
    assert [t.score for t in again.trainings] == [t.score for t in first.trainings]


def test_a_result_of_another_version_is_one_line_that_names_its_file(spec: Spec, images: Path, tmp_path: Path) -> None:
    fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None)
    path = tmp_path / "out" / "checkpoints" / "baseline-0" / "final.pt"
    state = torch.load(path, weights_only=True)
    torch.save({name: value for name, value in state.items() if name != "best_step"}, path)
    with pytest.raises(BadData, match=r"baseline-0/final\.pt was written by another version.*best_step"):
        fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None)


def test_plain_and_imitating_student_start_from_the_same_weights(spec: Spec, images: Path, tmp_path: Path) -> None:
    """With imitation beginning after the last step, both students are the same training."""
    late = spec(method={"name": "fine-grained", "start_step": 10_000})
    result = fgfi_core.run(late, images, tmp_path / "out", lambda _: None)
    plain, imitated = result.trainings[1:]
    assert plain.score == imitated.score


def test_the_control_alone_is_the_method_none(spec: Spec, images: Path, tmp_path: Path) -> None:
    result = fgfi_core.run(spec(method={"name": "none"}), images, tmp_path / "out", lambda _: None)
    assert [t.role for t in result.trainings] == ["teacher", "plain"]
    assert result.gap_closed is None


def test_each_seed_is_trained_plain_and_imitating(spec: Spec, images: Path, tmp_path: Path) -> None:
    result = fgfi_core.run(spec(seeds=[3, 5]), images, tmp_path / "out", lambda _: None)
    assert [(t.role, t.seed) for t in result.trainings] == [
        ("teacher", 3),
        ("plain", 3),
        ("imitated", 3),
        ("plain", 5),
        ("imitated", 5),
    ]


def test_a_missing_split_names_the_field_and_the_splits_there_are(spec: Spec, images: Path, tmp_path: Path) -> None:
    bad = spec(dataset={"train": "trainval", "val": "val"})
    with pytest.raises(BadSpec, match=r"dataset\.train is 'trainval'.*train, val"):
        fgfi_core.run(bad, images, tmp_path / "out", lambda _: None)


def test_splits_that_share_an_image_are_refused(spec: Spec, voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a")
    voc.add("b", split="val")
    voc.list_image("b", "train")
    with pytest.raises(BadSpec, match=r"'train' and dataset\.val 'val' share 1 images, for instance 'b'"):
        fgfi_core.run(spec(), voc.root, tmp_path / "out", lambda _: None)


def test_a_class_that_is_never_trained_on_is_refused(spec: Spec, voc: "VocFolder", tmp_path: Path) -> None:
    voc.add("a", [("cell", (10, 12, 60, 50))])
    voc.add("b", [("ghost", (10, 12, 60, 50))], split="val")
    with pytest.raises(BadData, match="class 'ghost' has 1 boxes in 'val' and none in 'train'"):
        fgfi_core.run(spec(), voc.root, tmp_path / "out", lambda _: None)


def test_a_loss_that_is_not_finite_stops_the_run(spec: Spec, images: Path, tmp_path: Path) -> None:
    wild = spec()
    wild = wild.model_copy(
        update={"schedule": wild.schedule.model_copy(update={"learning_rate": 1e30, "clip_norm": None})}
    )
    with pytest.raises(Diverged, match=r"teacher \(seed 0\).*stopped being finite"):
        fgfi_core.run(wild, images, tmp_path / "out", lambda _: None)


def test_a_run_that_chose_its_micro_batch_goes_on_with_the_one_it_is_told(
    spec: Spec, images: Path, tmp_path: Path
) -> None:
    """As the worker does after memory ran out; what it was told holds for later calls that leave it open."""
    schedule = {"epochs": 1, "batch_size": 2, "image_size": [64, 64]}
    seen: list[events.Event] = []
    job = spec(schedule=schedule, method={"name": "none"}, exports=["safetensors"])
    assert job.schedule.micro_batch == "auto"
    with pytest.raises(Stopped):
        fgfi_core.run(job, images, tmp_path / "out", seen.append, should_stop=lambda: True)
    fgfi_core.run(with_micro_batch(job, 1), images, tmp_path / "out", seen.append)
    fgfi_core.run(job, images, tmp_path / "out", seen.append)

    resolved = [e.resolved["spec"]["schedule"] for e in seen if isinstance(e, events.SpecResolved)]
    assert [(one["batch_size"], one["micro_batch"]) for one in resolved] == [(2, 2), (2, 1), (2, 1)]
    (resumed,) = [e for e in seen if isinstance(e, events.StageStarted) and e.stage == "teacher" and e.step]
    assert resumed.step == 1


def test_a_damaged_result_is_told_and_its_stage_runs_again(spec: Spec, images: Path, tmp_path: Path) -> None:
    job = spec(method={"name": "none"}, exports=["safetensors"], preflight={"estimate": False})
    first = fgfi_core.run(job, images, tmp_path / "out", lambda _: None)
    final = tmp_path / "out" / "checkpoints" / "teacher-0" / "final.pt"
    final.write_bytes(final.read_bytes()[:1000])
    seen: list[events.Event] = []
    again = fgfi_core.run(job, images, tmp_path / "out", seen.append)
    (told,) = [e for e in seen if isinstance(e, events.Log) and e.code == "checkpoint_damaged"]
    assert told.level == "warning"
    assert "checkpoints/teacher-0/final.pt is damaged: its stage runs again" in told.message
    stages = [(e.stage, e.step) for e in seen if isinstance(e, events.StageStarted)]
    assert stages == [("preflight", 0), ("teacher", 0), ("export", 0), ("report", 0)]
    assert [one.score for one in again.trainings] == [one.score for one in first.trainings]


def test_a_folder_with_a_run_of_another_spec_is_left_alone(spec: Spec, images: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None, should_stop=lambda: True)
    with pytest.raises(BadSpec, match=r"another spec.*schedule"):
        fgfi_core.run(spec(schedule={"epochs": 9}), images, tmp_path / "out", lambda _: None)

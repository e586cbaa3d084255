"""A whole job on a handful of made-up images, and its life across interruptions."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

import fgfi_core
from fgfi_core import events
from fgfi_core.errors import BadData, BadSpec, Diverged, Stopped
from fgfi_core.results import JobResult
from fgfi_core.spec import JobSpec

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


def run_in_parts(spec: JobSpec, images: Path, out: Path, every: int) -> tuple[JobResult, int]:
    """Run with a stop at every so many steps, going on each time; returns the result and the count of stops."""
    calls = itertools.count(1)
    for stops in itertools.count():
        try:
            return fgfi_core.run(spec, images, out, lambda _: None, should_stop=lambda: next(calls) % every == 0), stops
        except Stopped:
            continue
    raise AssertionError


@pytest.mark.parametrize("every", [1, 4])
def test_a_run_stopped_at_any_step_equals_the_uninterrupted_one_bit_for_bit(
    spec: Spec, images: Path, tmp_path: Path, every: int
) -> None:
    whole = fgfi_core.run(spec(), images, tmp_path / "whole", lambda _: None)

    parts, stops = run_in_parts(spec(), images, tmp_path / "parts", every)
    assert stops >= 3  # at least once in each training
    for stage in ("teacher-0", "baseline-0", "imitation-0"):
        a, b = (
            torch.load(tmp_path / run / "checkpoints" / stage / "final.pt", weights_only=True)
            for run in ("whole", "parts")
        )
        assert a["history"] == b["history"]
        for name, weight in a["weights"].items():
            assert torch.equal(weight, b["weights"][name]), f"{stage}: {name}"
    assert [t.score for t in whole.trainings] == [t.score for t in parts.trainings]
    assert whole.trainings[2].imitation_weights == parts.trainings[2].imitation_weights


def test_a_finished_run_called_again_trains_nothing(spec: Spec, images: Path, tmp_path: Path) -> None:
    first = fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None)
    seen: list[events.Event] = []
    again = fgfi_core.run(spec(), images, tmp_path / "out", seen.append)
    assert not [e for e in seen if isinstance(e, events.Progress | events.Metrics)]
    assert [t.score for t in again.trainings] == [t.score for t in first.trainings]


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


def test_a_folder_with_a_run_of_another_spec_is_left_alone(spec: Spec, images: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fgfi_core.run(spec(), images, tmp_path / "out", lambda _: None, should_stop=lambda: True)
    with pytest.raises(BadSpec, match=r"another spec.*schedule"):
        fgfi_core.run(spec(schedule={"epochs": 9}), images, tmp_path / "out", lambda _: None)

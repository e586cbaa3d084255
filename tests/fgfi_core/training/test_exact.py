"""A run that was interrupted and went on is the uninterrupted one, bit for bit."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import fgfi_core
from fgfi_core import events
from fgfi_core.errors import Stopped
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]
Trainings = Callable[..., None]

SCHEDULE: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 2,
    "image_size": [64, 64],
    "evaluate_every": 1,
    "warmup_steps": 2,
}
SPLITS = {"train": "train", "val": "val"}
UNLABELLED = {**SPLITS, "unlabelled": "more", "unlabelled_score": 1e-6}

# What a run is made of that could be lost on the way, and the steps between two stops.
CASES: dict[str, tuple[dict[str, Any], int]] = {
    "a stop at every step": ({}, 1),
    "several seeds": ({"seeds": [3, 5], "schedule": {"epochs": 1}}, 2),
    "no baseline": ({"baseline": False}, 2),
    "adamw": ({"schedule": {"optimizer": "adamw"}}, 2),
    "step decay without clipping": ({"schedule": {"decay": "step", "clip_norm": None}}, 3),
    "micro-batches": ({"schedule": {"batch_size": 3, "micro_batch": 2}}, 1),
    "a method that draws": ({"method": {"name": "mgd", "balance_steps": 3}, "baseline": False}, 1),
    "a method with parameters of its own": ({"method": {"name": "fgd", "balance_steps": 2}, "baseline": False}, 2),
    "two measured weights": (
        {"method": {"name": "fine-grained+soft-label", "balance_steps": 4, "start_step": 1}, "baseline": False},
        1,
    ),
    "a detector that samples regions": (
        {"student": {"detector": "faster-rcnn-resnet18-fpn"}, "baseline": False, "schedule": {"epochs": 1}},
        2,
    ),
    "images without labels": ({"dataset": UNLABELLED, "baseline": False, "method": {"name": "mgd"}}, 1),
}


def results(out: Path) -> dict[str, dict[str, Any]]:
    """The finished trainings, without what a clock says."""
    finals = {path.parent.name: torch.load(path, weights_only=True) for path in out.rglob("final.pt")}
    return {stage: {name: final[name] for name in final if name != "seconds"} for stage, final in finals.items()}


def assert_equal(one: Any, other: Any, where: str = "") -> None:
    assert type(one) is type(other), where
    match one:
        case Tensor():
            assert torch.equal(one, other), where
        case dict():
            assert one.keys() == other.keys(), where
            for key in one:
                assert_equal(one[key], other[key], f"{where}/{key}")
        case _:
            assert one == other, where


def stopping(every: int) -> Callable[[], bool]:
    calls = itertools.count(1)
    return lambda: next(calls) % every == 0


@pytest.fixture
def mixed(images: Path, voc: "VocFolder") -> Path:
    for i in range(3):
        voc.add(f"more{i}", [("cell", (5, 5, 50, 60))], split="more")
    return images


@pytest.mark.parametrize("case", CASES)
def test_trainings_with_stops_equal_those_without(
    case: str, spec: Spec, trainings: Trainings, mixed: Path, tmp_path: Path
) -> None:
    changes, every = CASES[case]
    job = spec(**{**changes, "schedule": {**SCHEDULE, **changes.get("schedule", {})}})
    trainings(job, mixed, tmp_path / "whole")
    should_stop = stopping(every)
    for stops in itertools.count():
        try:
            trainings(job, mixed, tmp_path / "parts", should_stop=should_stop)
        except Stopped:
            # What a fresh process has drawn by now is another matter than what this one has.
            torch.manual_seed(stops)
            continue
        break
    whole = results(tmp_path / "whole")
    assert stops >= len(whole)
    assert_equal(whole, results(tmp_path / "parts"))


def test_loader_processes_change_no_number_whether_stopped_or_not(
    spec: Spec, trainings: Trainings, images: Path, tmp_path: Path
) -> None:
    """The method draws; the processes are started anew when the training goes on."""
    job = spec(method={"name": "mgd"}, baseline=False, schedule={**SCHEDULE, "epochs": 1})
    trainings(job, images, tmp_path / "alone")
    with_workers = job.model_copy(update={"resources": job.resources.model_copy(update={"loader_workers": 1})})
    # The teacher is the same either way; its loader's processes would cost seconds.
    teacher = tmp_path / "parts" / "checkpoints" / "teacher-0"
    teacher.parent.mkdir(parents=True)
    (tmp_path / "alone" / "checkpoints" / "teacher-0").rename(teacher)
    with pytest.raises(Stopped):
        trainings(with_workers, images, tmp_path / "parts", should_stop=lambda: True)
    trainings(with_workers, images, tmp_path / "parts")
    alone, parts = results(tmp_path / "alone"), results(tmp_path / "parts")
    assert_equal(alone["imitation-0"], parts["imitation-0"])


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_is_told_and_costs_an_interval_but_no_bit(
    damage: str, spec: Spec, trainings: Trainings, images: Path, tmp_path: Path
) -> None:
    job = spec(schedule={**SCHEDULE, "checkpoint_steps": 2}, method={"name": "none"})
    trainings(job, images, tmp_path / "whole")
    with pytest.raises(Stopped):
        trainings(job, images, tmp_path / "parts", should_stop=stopping(5))
    newest = max((tmp_path / "parts" / "checkpoints" / "teacher-0").iterdir())
    content = newest.read_bytes()
    half = len(content) // 2
    flipped = content[:half] + bytes([content[half] ^ 16]) + content[half + 1 :]
    newest.write_bytes({"truncated": content[:half], "flipped": flipped, "empty": b""}[damage])

    seen: list[events.Event] = []
    trainings(job, images, tmp_path / "parts", emit=seen.append)
    (told,) = [(e.level, e.code, e.message) for e in seen if isinstance(e, events.Log)]
    assert told[:2] == ("warning", "checkpoint_damaged")
    assert f"checkpoints/teacher-0/{newest.name} is damaged: the stage goes on from the one before" in told[2]
    assert next(e.step for e in seen if isinstance(e, events.StageStarted)) == 4
    assert_equal(results(tmp_path / "whole"), results(tmp_path / "parts"))


class Killed(BaseException):
    """The process ends here."""


def ending(kind: str, stage: str) -> Callable[[events.Event], None]:
    """Hears events until one of this kind in this stage, with which the process ends: nothing is heard after it."""
    here, over = "", False

    def emit(event: events.Event) -> None:
        nonlocal here, over
        here = getattr(event, "stage", here)
        over = over or (event.kind, here) == (kind, stage)
        if over:
            raise Killed

    return emit


KILLS = (
    ("spec_resolved", "preflight"),
    ("stage_finished", "preflight"),
    ("checkpoint_saved", "teacher"),
    ("metrics", "teacher"),
    ("stage_finished", "teacher"),
    ("stage_started", "baseline"),
    ("checkpoint_saved", "baseline"),
    ("checkpoint_saved", "imitation"),
    ("stage_finished", "imitation"),
    ("artifact_written", "export"),
    ("artifact_written", "report"),
    ("stage_finished", "report"),
)


def test_a_job_killed_in_each_stage_ends_with_the_same_result(spec: Spec, images: Path, tmp_path: Path) -> None:
    """A dozen deaths in one folder, each at the first event of its kind."""
    job = spec(
        schedule={**SCHEDULE, "checkpoint_steps": 2, "micro_batch": 2},
        preflight={"estimate": False},
        exports=["safetensors"],
    )
    whole = fgfi_core.run(job, images, tmp_path / "whole", lambda _: None)
    for kind, stage in KILLS:
        with pytest.raises(Killed):
            fgfi_core.run(job, images, tmp_path / "parts", ending(kind, stage))
    parts = fgfi_core.run(job, images, tmp_path / "parts", lambda _: None)
    assert_equal(results(tmp_path / "whole"), results(tmp_path / "parts"))
    assert [one.score for one in parts.trainings] == [one.score for one in whole.trainings]
    one, other = (load_file(tmp_path / run / "exports" / "student.safetensors") for run in ("whole", "parts"))
    assert_equal(one, other)
    left = {path.relative_to(tmp_path / "parts") for path in (tmp_path / "parts").rglob("*")}
    assert left == {path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*")}

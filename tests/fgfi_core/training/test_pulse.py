"""Signs of life between steps."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fgfi_core
from fgfi_core import data, events
from fgfi_core.data.frame import Frame
from fgfi_core.spec import JobSpec, Stage
from fgfi_core.training import pulse
from fgfi_core.training.pulse import Pulse, WatchedLoader

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def progress(step: int) -> events.Progress:
    return events.Progress(
        stage="teacher", seed=0, step=step, steps=9, epoch=0, epochs=1, images_per_second=5.0, eta_seconds=2.0
    )


def steps(seen: list[events.Event]) -> list[int]:
    return [event.step for event in seen if isinstance(event, events.Progress)]


def test_while_a_training_is_measured_its_progress_is_said_again_at_most_twice_a_second() -> None:
    clock, seen = Clock(), list[events.Event]()
    alive = Pulse(seen.append, clock)
    alive(events.StageStarted(stage="teacher", seed=0, steps=9))
    alive(progress(4))
    for _ in range(16):
        clock.now += 0.125
        alive.seen(8)
    assert seen[1:] == [progress(4)] * 5


def test_a_step_that_was_told_otherwise_is_not_taken_back() -> None:
    clock, seen = Clock(), list[events.Event]()
    alive = Pulse(seen.append, clock)
    alive(events.StageStarted(stage="teacher", seed=0, steps=9))
    alive(progress(4))
    alive(events.Metrics(stage="teacher", seed=0, step=6, epoch=1.0, values={"loss": 1.0}))
    clock.now += 1
    alive.seen(8)
    assert seen[-1] == progress(6)


def test_a_stage_without_steps_counts_its_images() -> None:
    clock, seen = Clock(), list[events.Event]()
    alive = Pulse(seen.append, clock)
    alive(events.StageStarted(stage="export", seed=3))
    alive.expect(10)
    for _ in range(6):
        clock.now += 1
        alive.seen(2)
    told = [event for event in seen if isinstance(event, events.Progress)]
    assert [(one.stage, one.seed, one.steps) for one in told] == [("export", 3, 10)] * 6
    assert [(one.step, one.eta_seconds) for one in told] == [(2, 4), (4, 3), (6, 2), (8, 1), (10, 0), (10, 0)]


def test_before_a_training_began_nothing_is_said() -> None:
    seen: list[events.Event] = []
    clock = Clock()
    alive = Pulse(seen.append, clock)
    clock.now += 10
    alive.seen(1)
    assert seen == []


def test_a_batch_is_counted_when_its_taker_is_done_with_it(voc: "VocFolder") -> None:
    for i in range(3):
        voc.add(f"val{i}", split="val")
    counted: list[int] = []
    batches = iter(WatchedLoader(data.read(voc.root).splits["val"], Frame((32, 32)), 2, counted.append))
    next(batches)
    assert counted == []
    assert list(batches)
    assert counted == [2, 1]


def test_a_whole_run_says_how_far_it_is_in_every_stage_that_looks_at_images_and_never_goes_back(
    spec: Spec, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "LEAST_SECONDS", 0)
    seen: list[events.Event] = []
    job = spec(exports=["safetensors"], preflight={"estimate": False}, method={"name": "none"})
    fgfi_core.run(job, images, tmp_path / "out", seen.append)

    told = [event for event in seen if isinstance(event, events.Progress)]
    stages: tuple[Stage, ...] = ("teacher", "baseline", "export", "report")
    for stage in stages:
        here = [event for event in told if event.stage == stage]
        assert [event.step for event in here] == sorted(event.step for event in here)
        assert here[-1].step == here[-1].steps > 0
    # Between the last step's loss and the score of the epoch.
    teacher = [event.kind for event in seen if getattr(event, "stage", "") == "teacher"]
    assert teacher[-5:] == ["metrics", "progress", "metrics", "checkpoint_saved", "stage_finished"]

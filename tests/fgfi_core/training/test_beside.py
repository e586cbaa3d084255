"""Checkpoints beside the training: what is written, when it is told, and by whom."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fgfi_core import events
from fgfi_core.spec import JobSpec
from fgfi_core.training.beside import Beside, copied
from fgfi_core.training.checkpoint import CheckpointFolder, CheckpointNotWritten

Spec = Callable[..., JobSpec]
Trainings = Callable[..., None]

SCHEDULE: dict[str, Any] = {"epochs": 1, "batch_size": 1, "image_size": [64, 64], "warmup_steps": 2}


def nothing(path: str) -> None:
    raise AssertionError(f"{path} is not damaged")


class Slow:
    """Takes as long to write as somebody wants."""

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def __reduce__(self) -> tuple[object, tuple[()]]:
        assert self.may_end.wait(30)
        return OrderedDict, ()


def test_what_is_written_is_the_state_of_the_moment_it_was_copied(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    groups = [{"rate": 0.1, "moment": torch.zeros(2)}]
    state: dict[str, Any] = {"model": {"weight": torch.ones(3)}, "groups": groups, "pair": (1, 2)}
    slow = Slow()
    with Beside(folder) as beside:
        beside.begin(1, {**copied(state), "slow": slow})
        state["model"]["weight"].fill_(7)
        state["groups"][0]["rate"] = 0.2
        state["groups"][0]["moment"] += 1
        slow.may_end.set()
    loaded = folder.load_newest_step(nothing)
    assert loaded is not None
    assert torch.equal(loaded["model"]["weight"], torch.ones(3))
    assert loaded["groups"][0]["rate"] == 0.1
    assert torch.equal(loaded["groups"][0]["moment"], torch.zeros(2))
    assert loaded["pair"] == (1, 2)


def test_a_checkpoint_is_told_once_and_not_before_it_is_on_disk(tmp_path: Path) -> None:
    slow = Slow()
    with Beside(CheckpointFolder(tmp_path, "teacher", 0)) as beside:
        assert beside.finished(wait=True) is None
        beside.begin(1, {"slow": slow})
        assert beside.finished(wait=False) is None
        with pytest.raises(RuntimeError, match="the checkpoint before"):
            beside.begin(2, {})
        slow.may_end.set()
        saved = beside.finished(wait=True)
        assert saved is not None
        assert (tmp_path / saved.path).stat().st_size == saved.size
        assert beside.finished(wait=True) is None


def test_a_checkpoint_follows_so_many_steps_or_seconds_whichever_comes_first(
    spec: Spec, trainings: Trainings, images: Path, tmp_path: Path
) -> None:
    def saved(out: str, **schedule: Any) -> list[int]:
        seen: list[events.Event] = []
        job = spec(schedule={**SCHEDULE, **schedule}, method={"name": "none"})
        trainings(job, images, tmp_path / out, emit=seen.append)
        return [e.step for e in seen if isinstance(e, events.CheckpointSaved) and e.stage == "teacher" and not e.final]

    assert saved("neither", checkpoint_seconds=600) == []
    assert saved("steps", checkpoint_seconds=600, checkpoint_steps=2) == [2, 4]
    assert saved("seconds", checkpoint_seconds=0, checkpoint_steps=2) == [1, 2, 3, 4, 5]


def test_all_events_come_in_the_thread_that_called(
    spec: Spec, trainings: Trainings, images: Path, tmp_path: Path
) -> None:
    heard: list[tuple[str, threading.Thread]] = []
    job = spec(schedule={**SCHEDULE, "checkpoint_seconds": 0}, method={"name": "none"})
    trainings(job, images, tmp_path, emit=lambda e: heard.append((e.kind, threading.current_thread())))
    assert sum(kind == "checkpoint_saved" for kind, _ in heard) == 2 * 6
    assert {thread for _, thread in heard} == {threading.current_thread()}


def test_a_disk_that_refuses_ends_the_training_with_what_it_said(
    spec: Spec, trainings: Trainings, images: Path, tmp_path: Path
) -> None:
    (tmp_path / "checkpoints").write_text("a file where a folder should be")
    job = spec(schedule={**SCHEDULE, "checkpoint_steps": 1})
    with pytest.raises(CheckpointNotWritten, match=r"teacher-0/step-000000001\.pt could not be written: Not a dir"):
        trainings(job, images, tmp_path)


def test_a_checkpoint_on_its_way_is_told_before_the_error_that_ends_the_training(
    spec: Spec, trainings: Trainings, images: Path, tmp_path: Path
) -> None:
    """So that a job that ran out of memory goes on from it."""
    seen: list[str] = []

    def run_out(event: events.Event) -> None:
        seen.append(event.kind)
        if event.kind == "metrics":  # Of the last step, right after the checkpoint of the one before.
            raise MemoryError

    job = spec(schedule={**SCHEDULE, "checkpoint_steps": 5})
    with pytest.raises(MemoryError):
        trainings(job, images, tmp_path, emit=run_out)
    assert seen[-2:] == ["metrics", "checkpoint_saved"]

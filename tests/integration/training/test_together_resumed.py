"""Two processes that are paused and started again learn what two that nobody disturbs learn, to the last bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import fgfi_core
from fgfi_core.errors import Stopped
from fgfi_core.spec import JobSpec
from tests.fgfi_core.conftest import VocFolder

pytestmark = pytest.mark.integration

# Dropout and hidden cells: what is drawn in a step must be the same in both processes after a pause, too.
SPEC = JobSpec.model_validate(
    {
        "name": "paused",
        "dataset": {"train": "train", "val": "val"},
        "teacher": {"detector": "shuffledet-0.25x"},
        "student": {"detector": "shuffledet-0.25x"},
        "method": {"name": "mgd"},
        "baseline": False,
        "schedule": {"epochs": 2, "batch_size": 4, "image_size": [64, 64], "warmup_steps": 2, "learning_rate": 1e-3},
        "preflight": {"teacher_floor": 0.0, "estimate": False},
        "exports": ["safetensors"],
        "resources": {"device": "cpu", "threads": 1, "count": 2},
    }
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    voc = VocFolder(tmp_path / "voc")
    for i in range(8):
        # Some have no box at all, so that a process may have none in its part of a batch.
        voc.add(f"train{i}", [("cell", (10 + i, 12, 60, 50)), ("dot", (70, 50 + i, 90, 75))][: i % 3])
    for i in range(2):
        voc.add(f"val{i}", [("cell", (20, 12 + i, 70, 50)), ("dot", (70, 50, 90, 70))], split="val")
    return voc.root


def after_steps(wanted: int) -> Callable[[], bool]:
    """Asks once to stop, after so many steps of teacher and student together."""
    steps = iter(range(1, 1000))
    return lambda: next(steps) == wanted


def learnt(out: Path, stage: str) -> tuple[dict[str, torch.Tensor], list[Any]]:
    """Weights and curves at the end of a stage."""
    state = torch.load(out / "checkpoints" / f"{stage}-0" / "final.pt", weights_only=True)
    return state["weights"], state["history"]


@pytest.mark.timeout(600)
def test_a_pause_in_the_middle_of_a_training_changes_nothing(images: Path, tmp_path: Path) -> None:
    fgfi_core.run(SPEC, images, tmp_path / "undisturbed", lambda _: None)

    with pytest.raises(Stopped, match=r"imitation .* at step 3 of 4"):
        fgfi_core.run(SPEC, images, tmp_path / "paused", lambda _: None, should_stop=after_steps(4 + 3))
    fgfi_core.run(SPEC, images, tmp_path / "paused", lambda _: None)

    for stage in ("teacher", "imitation"):
        undisturbed, paused = (learnt(tmp_path / name, stage) for name in ("undisturbed", "paused"))
        torch.testing.assert_close(paused[0], undisturbed[0], rtol=0, atol=0)
        assert paused[1] == undisturbed[1]
        assert paused[1]

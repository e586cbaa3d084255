"""A tiny job: its spec, and the images it trains on."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fgfi_core import data
from fgfi_core.spec import JobSpec
from fgfi_core.training.device import choose
from fgfi_core.training.resolve import NO_WEIGHTS, resolve
from fgfi_core.training.task import Emit
from fgfi_core.training.trainings import Bench, train_all

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]
Trainings = Callable[..., None]


@pytest.fixture
def spec() -> Spec:
    def make(**changes: Any) -> JobSpec:
        fields: dict[str, Any] = {
            "name": "tiny",
            "dataset": {"train": "train", "val": "val"},
            "teacher": {"detector": "ssd-shufflenetv2-0.5x"},
            "student": {"detector": "ssd-shufflenetv2-0.25x"},
            "method": {"name": "fine-grained", "balance_steps": 3},
            "schedule": {"epochs": 2, "batch_size": 2, "image_size": [64, 64], "evaluate_every": 1, "warmup_steps": 2},
            "resources": {"device": "cpu", "threads": 1},
        }
        return JobSpec.model_validate({**fields, **changes})

    return make


@pytest.fixture
def images(voc: "VocFolder") -> Path:
    for i in range(6):
        voc.add(f"train{i}", [("cell", (10 + i, 12, 60, 50)), ("dot", (70, 50 + i, 90, 75))])
    for i in range(2):
        voc.add(f"val{i}", [("cell", (20, 12 + i, 70, 50)), ("dot", (70, 50, 90, 70))], split="val")
    return voc.root


@pytest.fixture
def trainings() -> Trainings:
    """All trainings of a job, resolved, without what comes before and after them."""

    def run(
        job: JobSpec,
        images: Path,
        out: Path,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        emit: Emit = lambda _: None,
    ) -> None:
        dataset, placement = data.read(images), choose(job.resources, "fp32")
        resolved = resolve(job, dataset, placement)
        for _finished in train_all(Bench(resolved, dataset, placement, out, emit, should_stop, NO_WEIGHTS)):
            pass

    return run

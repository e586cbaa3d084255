"""A job at its start: what a check is asked about."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from fgfi_core import data
from fgfi_core.preflight.check import Subject
from fgfi_core.results import Score
from fgfi_core.spec import JobSpec
from fgfi_core.training.device import choose
from fgfi_core.training.resolve import NO_WEIGHTS, Weights, resolve
from fgfi_core.training.task import Trained
from fgfi_core.training.trainings import Bench, Finished

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]
SCHEDULE: Mapping[str, Any] = {"epochs": 1, "batch_size": 2, "image_size": [64, 64], "warmup_steps": 2}


@pytest.fixture
def spec() -> Spec:
    def make(**changes: Any) -> JobSpec:
        fields: dict[str, Any] = {
            "name": "tiny",
            "dataset": {"train": "train", "val": "val"},
            "teacher": {"detector": "ssd-shufflenetv2-0.5x"},
            "student": {"detector": "ssd-shufflenetv2-0.25x"},
            "exports": ["safetensors"],
            "resources": {"device": "cpu", "threads": 1},
        }
        fields |= {**changes, "schedule": {**SCHEDULE, **changes.get("schedule", {})}}
        return JobSpec.model_validate(fields)

    return make


@pytest.fixture
def images(voc: "VocFolder") -> Path:
    for i in range(4):
        voc.add(f"train{i}", [("cell", (10 + i, 12, 60, 50)), ("dot", (70, 50 + i, 90, 75))])
    for i in range(2):
        voc.add(f"val{i}", [("cell", (20, 12 + i, 70, 50)), ("dot", (70, 50, 90, 70))], split="val")
    return voc.root


@pytest.fixture
def subject(tmp_path: Path) -> MakeSubject:
    """Of a spec and a folder of images. score: of a trained teacher, for the second phase."""

    def make(job: JobSpec, folder: Path, *, weights: Weights = NO_WEIGHTS, score: Score | None = None) -> Subject:
        dataset, placement = data.read(folder), choose(job.resources, "fp32")
        resolved = resolve(job, dataset, placement, weights)
        out = tmp_path / "run"
        out.mkdir(exist_ok=True)
        bench = Bench(resolved, dataset, placement, out, lambda _: None, lambda: False, weights)
        if score is None:
            return Subject(bench)
        torch.manual_seed(0)
        trained = Trained({}, score, best_step=1, steps=1, seconds=1.0, imitation_weights={})
        return Subject(bench, Finished("teacher", 0, bench.create("teacher"), trained))

    return make

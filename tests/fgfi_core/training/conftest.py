"""A tiny job: its spec, and the images it trains on."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]


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

"""A bundle of a small made-up data set, without a training."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fgfi_core import data
from fgfi_core.bundle import manifest, record
from fgfi_core.results import JobResult, Score, Training
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

MakeResult = Callable[[float], JobResult]


@pytest.fixture
def make_result() -> MakeResult:
    def make(map50: float) -> JobResult:
        score = Score(map50=map50, map50_11=map50, ap50={"cell": map50})
        training = Training(
            role="plain", detector="ssd-shufflenetv2-0.25x", seed=3, score=score, best_step=2, steps=4, seconds=1.5
        )
        return JobResult(name="tiny", classes=("cell",), trainings=(training,), exports=(), seconds=1.5)

    return make


@pytest.fixture
def images(voc: "VocFolder") -> Path:
    voc.add("first")
    voc.add("second")
    voc.add("third", split="val")
    voc.add("unused", split="other")
    return voc.root


@pytest.fixture
def bundle(images: Path, make_result: MakeResult) -> record.Bundle:
    spec = JobSpec.model_validate(
        {
            "name": "tiny",
            "dataset": {"train": "train", "val": "val"},
            "teacher": {"detector": "ssd-shufflenetv2-0.5x", "init": "file"},
            "student": {"detector": "ssd-shufflenetv2-0.25x"},
        }
    )
    schedule = spec.schedule.model_copy(update={"batch_size": 2, "learning_rate": 0.25, "precision": "fp32"})
    resolved = spec.model_copy(update={"schedule": schedule})
    return record.Bundle(
        about=record.About(name="tiny"),
        code=record.Code(package="fgfi-service", version="0.1.0"),
        packages={"torch": "2.15.0", "numpy": "2.0.0", "Jinja2": "3.1.0"},
        spec=spec,
        resolved={"spec": resolved.model_dump(mode="json"), "classes": ["cell"], "anchor_shapes": {}, "device": "cpu"},
        data=manifest.describe(data.read(images), ("train", "val")),
        weights=record.Weights(
            first={"teacher": record.First(source="file", name="teacher.safetensors", sha256="ab" * 32)}, trained=()
        ),
        environment=record.Environment(
            python="3.11.2",
            platform="Linux",
            machine="x86_64",
            processor="one",
            device="cpu",
            threads=3,
            torch={"version": "2.15.0"},
        ),
        result=make_result(0.5),
    )

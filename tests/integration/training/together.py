"""A program that torchrun starts: the trainings of each case, in as many processes as there are.

Arguments: the folder of a data set, and one for what the trainings leave.
"""

import os
import sys
from pathlib import Path
from typing import Any

import torch

from fgfi_core import data
from fgfi_core.spec import JobSpec
from fgfi_core.training.device import choose
from fgfi_core.training.ranks import Work, joined
from fgfi_core.training.resolve import NO_WEIGHTS, resolve
from fgfi_core.training.trainings import Bench, train_all

SCHEDULE = {
    "epochs": 1,
    "batch_size": 4,
    "image_size": [64, 64],
    "warmup_steps": 2,
    # Small: rounding grows with every step, and the faster the larger the steps are.
    "learning_rate": 1e-3,
}
# Detectors and methods that norm, draw, sample and count in each of the ways there are.
CASES: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "batch norms, a measured weight and images without labels": (
        ("ssd-shufflenetv2-0.25x", "ssd-shufflenetv2-0.25x"),
        {
            "method": {"name": "fine-grained", "balance_steps": 2},
            "dataset": {"train": "train", "val": "val", "unlabelled": "more", "unlabelled_score": 1e-6},
        },
    ),
    "dropout and hidden cells": (("shuffledet-0.25x", "shuffledet-0.25x"), {"method": {"name": "mgd"}}),
    "sampled anchors and regions": (
        ("faster-rcnn-resnet18-fpn", "faster-rcnn-resnet18-fpn"),
        {"method": {"name": "soft-label"}},
    ),
}


def spec_of(case: str, count: int) -> JobSpec:
    """The job of a case."""
    (teacher, student), changes = CASES[case]
    fields = {
        "name": case,
        "dataset": {"train": "train", "val": "val"},
        "teacher": {"detector": teacher},
        "student": {"detector": student},
        "schedule": SCHEDULE,
        "baseline": False,
        "resources": {"device": "cpu", "threads": 1, "count": count},
    }
    return JobSpec.model_validate({**fields, **changes})


def train(case: str, images: Path, out: Path, count: int) -> None:
    """All trainings of a case, without what comes before and after them."""
    spec = spec_of(case, count)
    dataset, placement = data.read(images), choose(spec.resources, "fp32")
    resolved = resolve(spec, dataset, placement)
    for _ in train_all(Bench(resolved, dataset, placement, out, lambda _: None, lambda: False, NO_WEIGHTS)):
        pass


def main(images: Path, out: Path) -> None:
    """The processes meet once, for all cases."""
    torch.set_num_threads(1)
    count = int(os.environ["WORLD_SIZE"])
    first = spec_of(next(iter(CASES)), count)
    with joined(Work(first, images, out, NO_WEIGHTS), choose(first.resources, "fp32")):
        for case in CASES:
            train(case, images, out / case, count)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

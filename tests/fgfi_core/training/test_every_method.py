"""Every method runs from the same spec by changing one word, and is trained, weighed and resumed as any other."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import fgfi_core
from fgfi_core import events
from fgfi_core.errors import Stopped
from fgfi_core.spec import METHODS, JobSpec

Spec = Callable[..., JobSpec]
IMITATING = [name for name in METHODS if name != "none"]


@pytest.mark.parametrize("name", IMITATING)
def test_a_method_is_one_word_of_the_spec(spec: Spec, images: Path, tmp_path: Path, name: str) -> None:
    seen: list[events.Event] = []
    job = spec(method={"name": name, "balance_steps": 3}, baseline=False, exports=["safetensors"])
    result = fgfi_core.run(job, images, tmp_path / "out", seen.append)
    imitated = result.trainings[-1]
    assert imitated.role == "imitated"
    terms = set(job.method.terms()) if job.method.name != "none" else set()
    assert set(imitated.imitation_weights) == terms
    assert all(weight > 0 for weight in imitated.imitation_weights.values())
    told = [set(event.values) for event in seen if isinstance(event, events.Metrics) and event.stage == "imitation"]
    assert {f"loss/{term}" for term in terms} <= set.union(*told)


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [("mgd", "sgd"), ("fgd", "sgd"), ("fine-grained+soft-label", "sgd"), ("fine-grained", "adamw")],
)
def test_a_method_with_weights_or_chance_of_its_own_resumes_bit_for_bit(
    spec: Spec, images: Path, tmp_path: Path, name: str, optimizer: str
) -> None:
    schedule = {
        "epochs": 2,
        "batch_size": 2,
        "image_size": [64, 64],
        "evaluate_every": 1,
        "warmup_steps": 2,
        "optimizer": optimizer,
    }
    method = {"name": name, "balance_steps": 2}
    job = spec(method=method, schedule=schedule, baseline=False, exports=["safetensors"])
    fgfi_core.run(job, images, tmp_path / "whole", lambda _: None)
    asked = iter(range(1, 10_000))
    while True:
        try:
            fgfi_core.run(job, images, tmp_path / "parts", lambda _: None, should_stop=lambda: next(asked) % 3 == 0)
            break
        except Stopped:
            continue
    one, other = (
        torch.load(tmp_path / run / "checkpoints" / "imitation-0" / "final.pt", weights_only=True)
        for run in ("whole", "parts")
    )
    assert one["imitation_weights"] == other["imitation_weights"]
    assert all(torch.equal(weight, other["weights"][key]) for key, weight in one["weights"].items())

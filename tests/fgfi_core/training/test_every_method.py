"""Every method runs from the same spec by changing one word, and is trained and weighed as any other."""

from collections.abc import Callable
from pathlib import Path

import pytest

import fgfi_core
from fgfi_core import events
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

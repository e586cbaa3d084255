"""Two processes with half a batch each have the gradients of one with the whole."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration.imitation.gradients import DETECTORS

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("gradients.py")


def run(folder: Path, world: int) -> dict[str, Any]:
    """What the processes leave."""
    commands = [[sys.executable, str(PROGRAM), str(folder), str(rank), str(world)] for rank in range(world)]
    children = [
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
        )
        for command in commands
    ]
    try:
        for child in children:
            _, errors = child.communicate(timeout=120)
            assert child.returncode == 0, errors
    finally:
        for child in children:
            child.kill()
            child.wait()
    results: dict[str, Any] = torch.load(folder / f"{world}.pt", weights_only=True)
    return results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("gradients")
    return {world: run(folder, world) for world in (1, 2)}


@pytest.mark.parametrize("case", ["uneven", "one side empty", "all empty"])
def test_averaged_gradients_are_those_of_one_process(case: str, results: dict[int, dict[str, Any]]) -> None:
    one, two = (results[world][case]["gradients"] for world in (1, 2))
    assert any(gradient.any() for gradient in one.values()) == (case != "all empty")
    torch.testing.assert_close(two, one, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("detector", DETECTORS)
def test_mean_of_detection_losses_is_that_of_one_process(detector: str, results: dict[int, dict[str, Any]]) -> None:
    one, two = (results[world][detector] for world in (1, 2))
    assert all(loss > 0 for loss in one.values())
    torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("case", ["uneven", "one side empty"])
def test_measured_weight_is_that_of_one_process(case: str, results: dict[int, dict[str, Any]]) -> None:
    one, two = (results[world][case]["weight"] for world in (1, 2))
    assert two == pytest.approx(one, rel=1e-6)

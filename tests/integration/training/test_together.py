"""Two processes with half of each batch learn what one learns with the whole, but for rounding."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fgfi_core.conftest import VocFolder
from tests.integration.training.together import CASES, train

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trainings of all cases: `one` by this process, `two` by those that torchrun starts."""
    folder = tmp_path_factory.mktemp("together")
    voc = VocFolder(folder / "voc")
    for i in range(8):
        # Boxes, and so anchors and regions, are spread unevenly over the two.
        voc.add(f"train{i}", [("cell", (10 + i, 12, 60, 50)), ("dot", (70, 50 + i, 90, 75))][: 1 + (i % 2)])
    for i in range(4):
        voc.add(f"more{i}", split="more")
    for i in range(2):
        voc.add(f"val{i}", [("cell", (20, 12 + i, 70, 50)), ("dot", (70, 50, 90, 70))], split="val")
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    program = str(Path(__file__).with_name("together.py"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, program, str(voc.root), str(folder / "two")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    for case in CASES:
        train(case, voc.root, folder / "one" / case, 1)
    return folder


def final(folder: Path, stage: str) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(folder / "checkpoints" / f"{stage}-0" / "final.pt", weights_only=True)
    return state


@pytest.mark.parametrize("stage", ["teacher", "imitation"])
@pytest.mark.parametrize("case", CASES)
def test_weights_and_curves_are_those_of_one_process(trained: Path, case: str, stage: str) -> None:
    one, two = (final(trained / processes / case, stage) for processes in ("one", "two"))

    torch.testing.assert_close(two["weights"], one["weights"], rtol=1e-3, atol=1e-3)
    curves = [
        {name: value for _, _, values in state["history"] for name, value in values.items() if "val" not in name}
        for state in (one, two)
    ]
    assert curves[0].keys() == curves[1].keys()
    assert curves[1] == pytest.approx(curves[0], rel=5e-3)
    assert two["imitation_weights"] == pytest.approx(one["imitation_weights"], rel=5e-3)

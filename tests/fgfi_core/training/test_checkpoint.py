import random
from pathlib import Path

import numpy as np
import torch

from fgfi_core.training.checkpoint import CheckpointFolder, random_state, restore_random_state


def test_the_newest_step_is_the_one_to_continue_from(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    for step in (1, 20, 3):
        folder.save_step(step, {"step": step})
    state = folder.load_newest_step()
    assert state is not None
    assert state["step"] == 20


def test_a_damaged_file_gives_way_to_the_one_before(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    folder.save_step(1, {"step": 1})
    newest = tmp_path / folder.save_step(2, {"step": 2}).path
    newest.write_bytes(newest.read_bytes()[:-40])
    state = folder.load_newest_step()
    assert state is not None
    assert state["step"] == 1


def test_a_file_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    target = tmp_path / "touched"

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (target,)  # type: ignore[return-value]  # what an attacker would return

    folder.folder.mkdir(parents=True)
    torch.save(Hostile(), folder.folder / "final.pt")
    assert folder.load_final() is None
    assert not target.exists()


def test_only_the_newest_two_are_kept_and_none_beside_a_final(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "imitation", 7)
    for step in range(4):
        folder.save_step(step, {})
    assert sorted(p.name for p in folder.folder.iterdir()) == ["step-000000002.pt", "step-000000003.pt"]
    folder.save_final(4, {"done": True})
    assert [p.name for p in folder.folder.iterdir()] == ["final.pt"]


def test_the_event_names_the_file_its_size_and_its_hash(tmp_path: Path) -> None:
    saved = CheckpointFolder(tmp_path, "baseline", 3).save_final(9, {"x": torch.ones(5)})
    assert saved.path == "checkpoints/baseline-3/final.pt"
    assert saved.size == (tmp_path / saved.path).stat().st_size
    assert len(saved.sha256) == 64


def test_restored_generators_draw_the_same_numbers(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    folder.save_step(1, {"random": random_state()})

    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002 - the global generator is what is tested

    wanted = draw()
    state = folder.load_newest_step()
    assert state is not None
    restore_random_state(state["random"])
    assert draw() == wanted

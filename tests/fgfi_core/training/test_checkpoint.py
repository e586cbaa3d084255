import random
import resource
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fgfi_core.training.checkpoint import CheckpointFolder, CheckpointNotWritten, random_state, restore_random_state


def nothing(path: str) -> None:
    raise AssertionError(f"{path} is not damaged")


def test_the_newest_step_is_the_one_to_continue_from(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    for step in (1, 3, 20):
        folder.save_step(step, {"step": step})
    state = folder.load_newest_step(nothing)
    assert state is not None
    assert state["step"] == 20


def truncated(content: bytes) -> bytes:
    return content[:-40]


def flipped(content: bytes) -> bytes:
    """One bit of a weight is another; torch alone would load it."""
    weight = content.index(b"\x00\x00\xc0\x7f" * 2)
    return content[:weight] + bytes([content[weight] ^ 4]) + content[weight + 1 :]


def emptied(_: bytes) -> bytes:
    return b""


Damage = Callable[[bytes], bytes]
DAMAGES = (truncated, flipped, emptied)
# Not a number is 00 00 c0 7f: easy to find in the file.
STATE = {"weight": torch.full((64,), float("nan"))}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_gives_way_to_the_one_before(damage: Damage, tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    folder.save_step(1, {"step": 1})
    newest = tmp_path / folder.save_step(2, {"step": 2, **STATE}).path
    newest.write_bytes(damage(newest.read_bytes()))
    named: list[str] = []
    state = folder.load_newest_step(named.append)
    assert named == ["checkpoints/teacher-0/step-000000002.pt"]
    assert state is not None
    assert state["step"] == 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_result_is_named_and_counts_as_none(damage: Damage, tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    final = tmp_path / folder.save_final(2, STATE).path
    final.write_bytes(damage(final.read_bytes()))
    named: list[str] = []
    assert folder.load_final(named.append) is None
    assert named == ["checkpoints/teacher-0/final.pt"]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_flipped_bit_changes_what_is_loaded(data: st.DataObject) -> None:
    """A flip in the padding of the file may pass; one in a weight, a name or a number never."""
    with tempfile.TemporaryDirectory() as root:
        folder = CheckpointFolder(Path(root), "teacher", 0)
        path = Path(root) / folder.save_step(7, {"step": 7, "weight": torch.arange(40.0)}).path
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        state = folder.load_newest_step(lambda _: None)
    assert state is None or (state["step"] == 7 and torch.equal(state["weight"], torch.arange(40.0)))


def test_damaged_files_of_later_steps_do_not_push_out_the_new_one(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    for step in (8, 9):
        (tmp_path / folder.save_step(step, {}).path).write_bytes(b"")
    folder.save_step(2, {"step": 2})
    state = folder.load_newest_step(nothing)
    assert state is not None
    assert state["step"] == 2


def test_a_disk_that_refuses_is_quoted_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    folder.save_step(1, {"step": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(CheckpointNotWritten, match=r"step-000000002\.pt could not be written: File too large"):
            folder.save_step(2, {"step": 2, "weight": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [path.name for path in folder.folder.iterdir()] == ["step-000000001.pt"]


def test_an_error_that_is_not_the_disks_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="pickle"):
        CheckpointFolder(tmp_path, "teacher", 0).save_step(1, {"lock": threading.Lock()})


def test_a_file_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "teacher", 0)
    target = tmp_path / "touched"
    named: list[str] = []

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (target,)  # type: ignore[return-value]  # what an attacker would return

    folder.folder.mkdir(parents=True)
    torch.save(Hostile(), folder.folder / "final.pt")
    assert folder.load_final(named.append) is None
    assert named == ["checkpoints/teacher-0/final.pt"]
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
    state = folder.load_newest_step(nothing)
    assert state is not None
    restore_random_state(state["random"])
    assert draw() == wanted

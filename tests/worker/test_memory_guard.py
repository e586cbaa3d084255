"""The guard of a training's memory. A folder stands in for control groups, which no test may count on."""

import os
from pathlib import Path

import pytest

from worker.memory_guard import MemoryGuard, delegated_group, private_memory


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """A service's group that was handed down, with one below it for the worker."""
    service = tmp_path / "mount" / "system.slice" / "fgfi.service"
    (service / "worker").mkdir(parents=True)
    (service / "cgroup.subtree_control").write_text("cpu memory\n")
    (service / "cgroup.procs").write_text("")
    (tmp_path / "own").write_text("4:memory:/old\n0::/system.slice/fgfi.service/worker\n")
    return tmp_path


def test_the_group_above_the_workers_own_is_found(groups: Path) -> None:
    assert delegated_group(groups / "own", groups / "mount") == groups / "mount/system.slice/fgfi.service"


@pytest.mark.parametrize("own", ["0::/\n", "4:memory:/old\n", "0::/nowhere/worker\n"])
def test_without_a_group_that_was_handed_down_there_is_none(groups: Path, own: str) -> None:
    (groups / "own").write_text(own)
    assert delegated_group(groups / "own", groups / "mount") is None


def test_a_group_without_control_of_memory_is_none(groups: Path) -> None:
    (groups / "mount/system.slice/fgfi.service/cgroup.subtree_control").write_text("cpu\n")
    assert delegated_group(groups / "own", groups / "mount") is None


def test_a_child_gets_a_group_with_the_limit_and_its_end_is_told(tmp_path: Path) -> None:
    guard = MemoryGuard(2**30, 4711, tmp_path)
    made = tmp_path / "fgfi-4711"
    written = {file.name: file.read_text() for file in made.iterdir()}
    assert written == {
        "memory.max": str(2**30),
        "memory.oom.group": "1",
        "memory.swap.max": "0",
        "cgroup.procs": "4711",
    }
    assert guard.exceeded() is None

    (made / "memory.events").write_text("low 0\nmax 12\noom 1\noom_kill 3\n")
    assert guard.ended() == 2**30


def test_a_child_within_its_limit_was_not_ended_for_it(tmp_path: Path) -> None:
    guard = MemoryGuard(2**30, 4711, tmp_path)
    (tmp_path / "fgfi-4711" / "memory.events").write_text("oom_kill 0\n")
    assert guard.ended() is None


def test_where_no_group_can_be_made_the_memory_is_looked_at(tmp_path: Path) -> None:
    own = os.getpgid(0)
    assert MemoryGuard(1, own, tmp_path / "absent").exceeded() == 1
    assert MemoryGuard(2**50, own, tmp_path / "absent").exceeded() is None
    assert MemoryGuard(None, own, None).exceeded() is None


def test_memory_is_that_of_the_whole_group() -> None:
    assert private_memory(os.getpgid(0)) > 10 * 2**20
    assert private_memory(2**22 + 1) == 0

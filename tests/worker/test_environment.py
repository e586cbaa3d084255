from pathlib import Path

import pytest

from fgfi_core.environment import mimalloc
from worker.environment import child_environment

PARENT = {
    "PATH": "/bin",
    "LANG": "C.UTF-8",
    "CUDA_VISIBLE_DEVICES": "1",
    "FGFI_DATABASE_URL": "secret",
    "FGFI_SECRET_KEY": "secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "PGPASSWORD": "secret",
    "SSH_AUTH_SOCK": "secret",
    "LD_PRELOAD": "something",
    "HOME": "/home/me",
}


def test_no_secret_reaches_the_child(tmp_path: Path) -> None:
    assert "secret" not in child_environment(PARENT, tmp_path, None).values()


def test_the_child_sees_the_devices_it_may_use(tmp_path: Path) -> None:
    assert child_environment(PARENT, tmp_path, None)["CUDA_VISIBLE_DEVICES"] == "1"


def test_the_childs_home_is_its_folder(tmp_path: Path) -> None:
    assert child_environment(PARENT, tmp_path, None)["HOME"] == str(tmp_path)


def test_the_number_of_threads_can_be_set(tmp_path: Path) -> None:
    assert child_environment(PARENT, tmp_path, 3)["OMP_NUM_THREADS"] == "3"


def test_a_number_of_threads_set_for_the_worker_holds_for_the_child(tmp_path: Path) -> None:
    assert child_environment(PARENT | {"OMP_NUM_THREADS": "5"}, tmp_path, None)["OMP_NUM_THREADS"] == "5"


def test_the_allocator_keeps_its_memory(tmp_path: Path) -> None:
    library = mimalloc()
    if library is None:
        pytest.skip("the wheel cmeel-mimalloc is not installed")
    made = child_environment(PARENT, tmp_path, None)
    assert (made["LD_PRELOAD"], made["MIMALLOC_PURGE_DELAY"]) == (str(library), "-1")

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from worker.cache import Cache

ONE, TWO, THREE = ("1" * 64, "2" * 64, "3" * 64)


def filled(size: int) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        folder.mkdir()
        (folder / "file").write_bytes(b"x" * size)

    return fill


def never(_: Path) -> None:
    raise AssertionError("it is there already")


def entries(root: Path) -> list[str]:
    return sorted(path.name[0] for path in (root / "datasets").iterdir())


def test_an_entry_is_filled_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)
    with cache.use(ONE, filled(10)) as folder:
        assert (folder / "file").stat().st_size == 10
    with cache.use(ONE, never) as folder:
        assert (folder / "file").exists()


def test_an_entry_that_cannot_be_filled_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Cache(tmp_path, 100).use(ONE, fail):
        pass
    assert [path for path in tmp_path.rglob("*") if path.name in {ONE, "half"} and "locks" not in path.parts] == []


def test_the_entries_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 25)
    for age, name in ((200, ONE), (100, TWO)):
        with cache.use(name, filled(10)) as folder:
            pass
        os.utime(folder, (folder.stat().st_mtime - age,) * 2)
    with cache.use(ONE, never):
        pass
    with cache.use(THREE, filled(10)):
        pass
    assert entries(tmp_path) == ["1", "3"]


def test_an_entry_in_use_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 5)
    with cache.use(ONE, filled(10)):
        with cache.use(TWO, filled(10)):
            assert entries(tmp_path) == ["1", "2"]
        cache.trim()
        assert entries(tmp_path) == ["1"]


@pytest.mark.parametrize("name", ["", "../../etc", "A" * 64, "1" * 63])
def test_a_name_that_is_no_sha256_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no sha256"), Cache(tmp_path, 5).use(name, never):
        pass

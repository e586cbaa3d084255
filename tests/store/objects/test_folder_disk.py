"""The disk below a folder: what is safe when, and what happens when there is no room."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.objects import FolderStore, StorageFull

MIB = 2**20
KEY = "jobs/job_1/final.pt"


def content(objects: FolderStore) -> bytes:
    return b"".join(objects.get(KEY))


def test_a_write_that_finds_no_room_leaves_the_former_object(tmp_path: Path) -> None:
    objects = FolderStore(tmp_path)
    objects.put(KEY, [b"old"])
    code = (
        "import resource, sys; from store.objects import FolderStore, StorageFull\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({2 * MIB}, {2 * MIB}))\n"
        "try:\n"
        f"    FolderStore(sys.argv[1]).put('{KEY}', [bytes(700_000)] * 5)\n"
        "except StorageFull as error:\n"
        "    print(error.code, '|', error.message, '|', error.hint)\n"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)

    assert said.stdout.startswith("object_store_full | ")
    assert str(tmp_path) in said.stdout
    assert content(objects) == b"old"
    assert list((tmp_path / "~incoming").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip("only root may mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_says_so_and_takes_again_what_fits(small_disk: Path) -> None:
    objects = FolderStore(small_disk)
    objects.put(KEY, [b"old"])
    with pytest.raises(StorageFull, match="No space left"):
        objects.put(KEY, [bytes(MIB // 2)] * 4)

    assert content(objects) == b"old"
    objects.ready()
    objects.put(KEY, [bytes(MIB // 2)])
    assert objects.head(KEY).size == MIB // 2


def test_a_full_disk_is_not_ready(small_disk: Path) -> None:
    objects = FolderStore(small_disk)
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "other").write_bytes(bytes(2 * MIB))
    with pytest.raises(StorageFull, match="No space left"):
        objects.ready()


def test_file_and_folders_are_on_the_disk_before_a_write_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = FolderStore(tmp_path / "objects")
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def seen_fsync(file: int) -> None:
        fsync(file)
        done.append(f"safe {Path(f'/proc/self/fd/{file}').readlink().relative_to(tmp_path / 'objects').parts[:1]}")

    def seen_replace(source: Path, target: str, *, dst_dir_fd: int) -> None:
        replace(source, target, dst_dir_fd=dst_dir_fd)
        done.append(f"moved {target}")

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "replace", seen_replace)
    objects.put("jobs/1/x", [b"x"])

    root, draft, folder = "safe ()", "safe ('~incoming',)", "safe ('jobs',)"
    # The draft's bytes; `jobs` in the root; `1` in `jobs`; the rename; the name in `jobs/1`.
    assert done == [draft, root, folder, "moved x", folder]

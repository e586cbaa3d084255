import os
from pathlib import Path

import pytest

from fgfi_core.data.folder import Folder
from fgfi_core.errors import BadData


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "secret.txt").write_text("a secret\n")
    root = tmp_path / "data"
    (root / "lists").mkdir(parents=True)
    (root / "lists" / "train.txt").write_text("one two\n\n three\n")
    return Folder(root)


def test_lines_come_with_their_numbers(folder: Folder) -> None:
    assert folder.lines("lists/train.txt") == [(1, ["one", "two"]), (3, ["three"])]


@pytest.mark.parametrize("name", ["../secret.txt", "lists/../../secret.txt", "/etc/hostname", ""])
def test_names_that_lead_out_are_refused(folder: Folder, name: str) -> None:
    with pytest.raises(BadData, match="points outside the data set"):
        folder.text(name)


def test_backslashes_are_refused_with_what_to_write(folder: Folder) -> None:
    with pytest.raises(BadData, match=r"'lists\\\\train.txt' has backslashes. Put / between"):
        folder.text("lists\\train.txt")


def test_a_link_to_a_file_outside_is_refused(folder: Folder) -> None:
    (folder.root / "link.txt").symlink_to(folder.root.parent / "secret.txt")
    with pytest.raises(BadData, match=r"link\.txt: is reached by a link that leads out of the data set"):
        folder.text("link.txt")


def test_a_link_to_a_folder_outside_is_refused(folder: Folder) -> None:
    (folder.root / "up").symlink_to(folder.root.parent, target_is_directory=True)
    for read in (lambda: folder.text("up/secret.txt"), lambda: folder.by_stem("up", (".txt",))):
        with pytest.raises(BadData, match="leads out of the data set"):
            read()


def test_a_link_inside_is_followed(folder: Folder) -> None:
    (folder.root / "link.txt").symlink_to(folder.root / "lists" / "train.txt")
    assert folder.text("link.txt") == "one two\n\n three\n"


def test_the_data_set_itself_may_be_a_link(folder: Folder) -> None:
    link = folder.root.parent / "job"
    link.symlink_to(folder.root, target_is_directory=True)
    assert Folder(link).text("lists/train.txt") == "one two\n\n three\n"


@pytest.mark.parametrize("name", ["ghost.txt", "lists", "lists/train.txt/x", "a\0b", "x" * 5000, "circle"])
def test_what_is_no_file_is_named(folder: Folder, name: str) -> None:
    (folder.root / "circle").symlink_to(folder.root / "circle")
    with pytest.raises(BadData, match="there is no such file"):
        folder.text(name)


def test_a_pipe_is_no_file(folder: Folder) -> None:
    os.mkfifo(folder.root / "pipe.txt")
    with pytest.raises(BadData, match=r"pipe\.txt: there is no such file"):
        folder.text("pipe.txt")


def test_bytes_that_are_no_text_are_named(folder: Folder) -> None:
    (folder.root / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(BadData, match=r"a\.txt: cannot be read as text: byte 3 is not UTF-8"):
        folder.lines("a.txt")


def test_a_mark_at_the_begin_is_no_text(folder: Folder) -> None:
    (folder.root / "a.txt").write_bytes(b"\xef\xbb\xbfone")
    assert folder.lines("a.txt") == [(1, ["one"])]


def test_a_file_that_is_too_large_is_not_read(folder: Folder) -> None:
    with (folder.root / "a.txt").open("wb") as file:
        file.truncate(2**20 + 1)
    with pytest.raises(BadData, match=r"a\.txt: is larger than 1 MiB"):
        folder.read("a.txt", 2**20)


def test_the_first_suffix_wins_where_a_stem_has_several_files(folder: Folder) -> None:
    for name in ("a.png", "a.JPG", "b.png", "c.txt", "._a.jpg"):
        (folder.root / "lists" / name).touch()
    assert folder.by_stem("lists", (".jpg", ".png")) == {"a": "lists/a.JPG", "b": "lists/b.png"}


def test_folders_below_are_walked_in_order(folder: Folder) -> None:
    for name in ("b/2.png", "a.png", "b/1.png", "b/.hidden.png"):
        (folder.root / "lists" / name).parent.mkdir(exist_ok=True)
        (folder.root / "lists" / name).touch()
    assert folder.walk("lists", (".png",)) == ["lists/a.png", "lists/b/1.png", "lists/b/2.png"]


def test_a_linked_folder_is_not_passed_over_in_silence(folder: Folder) -> None:
    (folder.root / "lists" / "more").symlink_to(folder.root, target_is_directory=True)
    with pytest.raises(BadData, match="lists/more: is a link to a folder"):
        folder.walk("lists", (".png",))


def test_a_name_that_no_report_can_hold_is_refused(folder: Folder) -> None:
    (folder.root / "lists" / os.fsdecode(b"\xff.png")).touch()
    for read in (folder.walk, folder.by_stem):
        with pytest.raises(BadData, match=r"'.*\\udcff\.png' is a name that is not UTF-8"):
            read("lists", (".png",))

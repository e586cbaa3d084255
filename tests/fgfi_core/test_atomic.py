import os
from pathlib import Path

import pytest

from fgfi_core.atomic import replacing, write_text


def test_a_file_appears_whole_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "result.json"
    with replacing(path) as draft:
        draft.write_text("half")
        assert not path.exists()
        draft.write_text("whole")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_in_between_leaves_what_was_there_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_text(path, "before")
    with pytest.raises(UnicodeEncodeError):  # The draft is open by then.
        write_text(path, "after \ud800")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_who_holds_the_file_by_a_link_keeps_its_content(tmp_path: Path) -> None:
    """As the upload of a worker does, while the run writes the file anew."""
    path, held = tmp_path / "report.html", tmp_path / "held"
    write_text(path, "the first")
    os.link(path, held)
    write_text(path, "the second")
    assert (held.read_text(), path.read_text()) == ("the first", "the second")

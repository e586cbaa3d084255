"""Every kind of hostile archive is refused in words, and leaves nothing on the disk."""

from pathlib import Path

import pytest

from fgfi_core.data.archive import BadArchive, extract
from tests.fgfi_core.data.hostile import ARCHIVES, LIMITS, PAGE, page, zipped


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_is_refused_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    make, message = ARCHIVES[name]
    (tmp_path / "upload").write_bytes(make())
    place = tmp_path / "place"
    with pytest.raises(BadArchive) as refused:
        extract(tmp_path / "upload", place / "new", LIMITS)
    assert message in refused.value.message
    assert refused.value.hint
    assert not place.exists() or not list(place.iterdir())
    assert {path.name for path in tmp_path.iterdir()} <= {"upload", "place"}


def test_the_limits_let_an_honest_archive_through(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(zipped(("a/b.txt", b"x" * 1000), ("A/c.txt", b"y")))
    assert extract(tmp_path / "upload", tmp_path / "new", LIMITS).files == 2


def test_the_table_of_the_documentation_is_this_one() -> None:
    assert page() == PAGE.read_text(), "run: python -m tests.fgfi_core.data.hostile"

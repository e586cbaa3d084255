"""The page of methods names what the code has."""

import re

import pytest

from bench.results import DOCS
from fgfi_core.spec import METHODS, Student

PAGE = (DOCS / "methods.md").read_text()


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_its_row(name: str) -> None:
    assert re.search(rf"^\| `{re.escape(name)}` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("init", ["random", "imagenet", "file", "teacher-slice"])
def test_every_way_to_begin_has_its_row_and_is_one(init: str) -> None:
    assert re.search(rf"^\| `{init}`", PAGE, re.MULTILINE)
    assert init in str(Student.model_fields["init"].annotation)

import math

import pytest

from store.jsonable import clean, dumps


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_has_not_become_null(number: float) -> None:
    assert dumps({"loss": [number, 1.5]}) == '{"loss": [null, 1.5]}'


def test_characters_that_postgresql_refuses_are_dropped() -> None:
    assert clean({"na\0me": "a\0b"}) == {"name": "ab"}


def test_a_file_name_in_a_broken_encoding_stays_readable() -> None:
    assert clean(b"caf\xe9.jpg".decode("utf-8", "surrogateescape")) == "caf?.jpg"

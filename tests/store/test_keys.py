import pytest

from store.keys import is_well_formed, make_token


def test_a_key_just_made_is_well_formed() -> None:
    assert is_well_formed(make_token())


def test_a_mistyped_key_is_told_without_a_database() -> None:
    token = make_token()
    wrong = token[:10] + ("a" if token[10] != "a" else "b") + token[11:]
    assert not is_well_formed(wrong)


@pytest.mark.parametrize("token", ["", "fgfi_", "x" * 43, "fgfi_é" + "a" * 37])
def test_what_is_no_key_is_refused(token: str) -> None:
    assert not is_well_formed(token)

import pytest

from store.principal import SCOPES, Principal


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("read", {"read"}),
        ("submit", {"read", "submit"}),
        ("admin", {"read", "submit", "admin"}),
        ("operator", {"read", "submit", "admin", "operator"}),
        ("unheard-of", set()),
    ],
)
def test_a_scope_includes_the_lesser_ones(scope: str, may: set[str]) -> None:
    principal = Principal("prj_1", frozenset({scope}))
    assert {wanted for wanted in SCOPES if principal.may(wanted)} == may

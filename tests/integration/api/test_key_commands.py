"""`fgfi keys` against the application on real PostgreSQL."""

import json
from collections.abc import Callable

from client.errors import EXIT_NOT_ALLOWED, EXIT_REFUSED, EXIT_USAGE

Run = Callable[..., tuple[int, str, str]]


def test_a_key_is_made_listed_rotated_and_revoked(fgfi: Run) -> None:
    code, out, err = fgfi("keys", "add", "CI", "--scope", "submit", "--days", "90")
    assert (code, out.startswith("fgfi_"), "shown once" in err) == (0, True, True)
    listed = fgfi("keys", "list")[1]
    assert out.strip() not in listed
    (made,) = [key for key in json.loads(fgfi("keys", "list", "--json")[1]) if key["name"] == "CI"]
    assert (made["scopes"], made["token"]) == (["submit"], None)
    code, successor, _ = fgfi("keys", "rotate", made["id"], "--overlap-hours", "1", "--json")
    assert code == 0
    assert json.loads(successor)["token"].startswith("fgfi_")
    assert fgfi("keys", "revoke", made["id"])[:2] == (0, f"{made['id']} is revoked\n")
    code, _, err = fgfi("keys", "revoke", made["id"])
    assert (code, "there is no key" in err.lower()) == (EXIT_REFUSED, True)


def test_scopes_that_are_not_there_or_not_held_are_refused(fgfi: Run) -> None:
    code, _, err = fgfi("keys", "add", "x", "--scope", "everything")
    assert (code, "one of read, submit, admin, operator" in err) == (EXIT_USAGE, True)
    code, _, err = fgfi("keys", "add", "x", "--scope", "operator")
    assert (code, "by its holders alone" in err) == (EXIT_NOT_ALLOWED, True)

from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from client import output
from client.output import age, duration, print_table

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (86_399, "23h"), (13 * 86_400, "13d")]
)
def test_an_age_is_a_number_and_a_letter(seconds: int, said: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(("seconds", "said"), [(8.4, "8s"), (60, "1m00s"), (200, "3m20s"), (7500, "2h05m")])
def test_a_duration_has_at_most_two_parts(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_notes_stand_below_their_rows_within_the_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "console", Console(width=20, highlight=False))

    print_table(("name", "n"), [("a", 1), ("b", 2)], notes=["some words that do not fit", ""])

    assert capsys.readouterr().out.splitlines() == [
        "name  n",
        "a     1",
        "  some words that do",
        "  not fit",
        "b     2",
    ]

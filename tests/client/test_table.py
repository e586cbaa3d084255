import pytest
from rich.cells import cell_len

from client.table import lines

JOBS = ("id", "name", "state", "teacher", "plain", "imitated", "age")


def job(name: str) -> tuple[str, ...]:
    return ("job_c0Ek3XtbpAJSfdHzMUYiOp", name, "cancelling", "100.0", "-", "67.2", "12d")


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    assert lines(("name", "size"), [("a", "9.5 kB"), ("bcd", "120.0 kB")]) == [
        "name      size",
        "a       9.5 kB",
        "bcd   120.0 kB",
    ]


def test_without_a_limit_nothing_is_shortened() -> None:
    long = "a name as long as people sometimes make them, and then some more of it"

    assert long in lines(JOBS, [job(long)], shorten="name")[1]


def test_a_narrow_terminal_shortens_one_column_and_leaves_the_others_whole() -> None:
    head, line = lines(JOBS, [job("a name as long as people sometimes make them")], width=80, shorten="name")

    assert max(len(head), len(line)) == 80
    assert "…" in line
    assert [cell for cell in job("") if cell] == [word for word in line.split() if word in job("")]


def test_what_fits_is_not_shortened() -> None:
    assert "shapes " in lines(JOBS, [job("shapes")], width=140, shorten="name")[1]


def test_a_text_of_several_lines_stays_on_one() -> None:
    assert lines(("why",), [("first\nsecond\tthird",)])[1] == "first second third"


@pytest.mark.parametrize("name", ["细胞检测数据集的蒸馏任务", "🧫🔬🧪 cells of all kinds"])
def test_wide_letters_count_twice(name: str) -> None:
    assert cell_len(lines(JOBS, [job(name)], width=80, shorten="name")[1]) == 80


def test_an_empty_table_is_its_header() -> None:
    assert lines(("id", "name"), []) == ["id  name"]

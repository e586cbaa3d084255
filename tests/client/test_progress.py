import io
import re
from typing import Any

from rich.console import Console

from client.progress import Drawing, Lines, drawing, feed

PROGRESS = {"stage": "teacher", "seed": 0, "steps": 330, "images_per_second": 85.4, "eta_seconds": 80}
RUN: list[tuple[str, dict[str, Any]]] = [
    ("stage_started", {"stage": "teacher", "seed": 0, "step": 0, "steps": 330}),
    ("metrics", {"stage": "teacher", "seed": 0, "values": {"loss": 2.3123, "val/map50": 0.654}}),
    ("progress", PROGRESS | {"step": 120}),
    ("log", {"level": "warning", "message": "a box has no area"}),
    ("a_kind_of_tomorrow", {"what": 1}),
    ("stage_finished", {"stage": "teacher", "seed": 0, "seconds": 63.2, "summary": {"map50": 0.66}}),
]


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def play(picture: Drawing, run: list[tuple[str, dict[str, Any]]]) -> None:
    for kind, data in run:
        feed(picture, kind, data)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_without_a_terminal_a_stage_is_told_in_plain_lines() -> None:
    written = io.StringIO()

    with drawing(Console(file=written, width=200)) as picture:
        play(picture, RUN)

    assert written.getvalue().splitlines() == [
        "teacher: started, 330 steps",
        "warning: a box has no area",
        "teacher: done in 1:03  loss 2.31  mAP50 66.0",
    ]


def test_plain_lines_tell_the_step_only_now_and_then() -> None:
    lines: list[str] = []
    clock = Clock()
    picture = Lines(lines.append, clock)
    play(picture, RUN[:2])

    for step in range(100):
        clock.now += 0.5
        feed(picture, "progress", PROGRESS | {"step": step})

    steps = [line for line in lines if "/330" in line]
    assert steps[0] == "teacher: 19/330  85 images/s, 1:20 left  loss 2.31  mAP50 65.4"
    assert len(steps) == 5


def test_on_a_terminal_a_stage_is_a_bar_with_its_newest_metrics() -> None:
    written = io.StringIO()

    with drawing(Console(file=written, width=160, force_terminal=True)) as picture:
        play(picture, RUN)

    text = written.getvalue()
    assert "teacher" in text
    assert "330/330" in text
    assert "loss 2.31" in text
    assert "warning: a box has no area" in text


def test_on_a_narrow_terminal_a_bar_keeps_its_numbers_whole() -> None:
    written = io.StringIO()

    with drawing(Console(file=written, width=80, force_terminal=True)) as picture:
        play(picture, RUN[:3])

    assert "120/330 0:00:00 loss 2.31  mAP50 65.4  85 images/s, 1:20 left" in _plain(written.getvalue())


def test_a_step_told_after_the_end_of_its_stage_changes_nothing() -> None:
    lines: list[str] = []
    clock = Clock()
    picture = Lines(lines.append, clock)
    play(picture, RUN)
    before = list(lines)
    clock.now += 60

    feed(picture, "progress", PROGRESS | {"step": 329})

    assert lines == before


def test_a_stage_that_goes_on_says_from_where() -> None:
    lines: list[str] = []

    feed(Lines(lines.append), "stage_started", {"stage": "imitation", "seed": 2, "step": 40, "steps": 330})

    assert lines == ["imitation (seed 2): started, 330 steps, goes on at step 40"]


def test_for_a_program_nothing_is_drawn() -> None:
    written = io.StringIO()

    with drawing(Console(file=written), quiet=True) as picture:
        play(picture, RUN)
        assert not picture.wants_metrics()

    assert written.getvalue() == ""


def test_metrics_are_asked_for_once_in_a_while() -> None:
    clock = Clock()
    picture = Lines(lambda _: None, clock)

    assert [picture.wants_metrics(), picture.wants_metrics()] == [True, False]
    clock.now += 60
    assert picture.wants_metrics()

import json
import os
import threading

import pytest

from fgfi_core import events
from worker.output import Lines, Tail

PROGRESS = b'{"kind": "progress", "step": 1}\n'
FINISHED = b'{"kind": "run_finished", "result": {}}\n'


def test_of_any_amount_of_output_the_last_is_kept() -> None:
    read, write = os.pipe()
    tail = Tail(read, keep=1000)
    chunk = b"junk " * 20_000
    for _ in range(1000):  # 100 MB; a reader that waits for anything would block this very thread.
        os.write(write, chunk)
    os.write(write, b"the end")
    os.close(write)
    text = tail.text()
    assert (len(text), text[-7:]) == (1000, "the end")


def test_output_that_is_no_text_is_shown_all_the_same() -> None:
    read, write = os.pipe()
    tail = Tail(read)
    os.write(write, b"\xff ok")
    os.close(write)
    assert tail.text().endswith(" ok")


def test_lines_come_out_as_they_went_in() -> None:
    lines = Lines()
    for word in (b"one", b"two"):
        lines.put(word)
    assert [lines.get(0), lines.get(0), lines.get(0)] == [b"one", b"two", None]


def test_a_line_wakes_who_waits_for_it() -> None:
    lines, got = Lines(), []
    thread = threading.Thread(target=lambda: got.append(lines.get(30)))
    thread.start()
    lines.put(b"one")
    thread.join(10)
    assert got == [b"one"]


def test_when_nobody_takes_them_passing_lines_are_dropped_and_counted() -> None:
    lines = Lines(limit=10 * len(PROGRESS))
    for _ in range(100):
        lines.put(PROGRESS)
    assert lines.dropped == 90


def test_what_must_arrive_arrives_when_passing_lines_are_dropped() -> None:
    lines = Lines(limit=10 * len(PROGRESS))
    for _ in range(100):
        lines.put(PROGRESS)
    lines.put(FINISHED)
    lines.end()
    assert lines.rest(0)[-1] == FINISHED


def test_even_of_what_must_arrive_there_is_a_bound() -> None:
    lines = Lines(limit=10 * len(FINISHED))
    for _ in range(100):
        lines.put(FINISHED)
    assert lines.dropped == 60


@pytest.mark.parametrize("name", ["SpecResolved", "StageStarted", "CheckpointSaved", "RunFinished", "RunFailed"])
def test_a_runs_own_words_are_known_as_what_must_arrive(name: str) -> None:
    kind = getattr(events, name)
    line = json.dumps(kind.model_construct().model_dump()).encode()
    lines = Lines(limit=len(line) // 2)
    lines.put(line)
    assert lines.dropped == 0

"""What the pages show, before any HTML."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from api.dashboard.render import age, direction, duration, percent, points, signed, size
from api.dashboard.views.downloads import downloads
from api.dashboard.views.gap import gap
from api.dashboard.views.numbers import numbers
from api.dashboard.views.pace import pace
from api.dashboard.views.progress import seconds_left, whole
from api.dashboard.views.story import lines, stops
from api.scores import Scores
from store.metrics import Point, Series
from store.tables import Artifact, Job, JobEvent

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_job(state: str = "running", stage: str | None = None, seeds: list[int] | None = None, **spec: Any) -> Job:
    body = {"method": {"name": "fine-grained"}, "baseline": True, "seeds": seeds or [0], **spec}
    return Job(id="job_1", state=state, stage=stage, spec=body, progress=None)


def an_event(kind: str, **data: Any) -> JobEvent:
    return JobEvent(job_id="job_1", sequence=1, attempt=1, kind=kind, data=data, time=NOW)


def a_series(stage: str, values: list[float], seed: int = 0, name: str = "val/map50") -> Series:
    found = [Point(10 * step, float(step), value, 1, NOW) for step, value in enumerate(values, start=1)]
    return Series(stage, seed, name, len(found), found)


def progress(stage: str, step: int, seed: int = 0) -> dict[str, Any]:
    rest = {"epoch": 1, "epochs": 2, "images_per_second": 1.0, "eta_seconds": 1.0}
    return {"stage": stage, "seed": seed, "step": step, "steps": 100, **rest}


def test_the_gap_keeps_every_mark_on_its_line() -> None:
    found = gap(Scores(teacher=0.7, plain=0.5, imitated=0.6))
    assert found is not None
    place = {mark.role: mark.x for mark in found.marks}
    assert 0 < place["plain"] < place["imitated"] < place["teacher"] < 100
    assert found.won == (place["plain"], place["imitated"])


def test_a_loss_against_plain_wins_no_stretch() -> None:
    found = gap(Scores(teacher=0.7, plain=0.5, imitated=0.4))
    assert found is not None
    assert found.won is None


def test_labels_of_close_neighbours_point_apart() -> None:
    found = gap(Scores(teacher=0.501, plain=0.5, imitated=0.7))
    assert found is not None
    assert {mark.role: mark.anchor for mark in found.marks} == {
        "teacher": "start",
        "plain": "end",
        "imitated": "middle",
    }


def test_without_scores_there_is_no_gap_to_draw() -> None:
    assert gap(Scores()) is None


@pytest.mark.parametrize("seeds", [[0], [3, 5, 8]])
@pytest.mark.parametrize("spec", [{}, {"baseline": False}, {"method": {"name": "none"}}])
def test_a_job_s_bar_only_ever_moves_forward(seeds: list[int], spec: dict[str, Any]) -> None:
    stages: list[tuple[str, int]] = [("teacher", seeds[0])]
    for seed in seeds:
        stages += [("baseline", seed)] if spec.get("baseline", True) else []
        stages += [("imitation", seed)] if "method" not in spec else []
    seen = [whole(a_job(seeds=seeds, **spec)), whole(a_job(stage="preflight", seeds=seeds, **spec))]
    last: dict[str, Any] | None = None
    for stage, seed in stages:
        job = a_job(stage=stage, seeds=seeds, **spec)
        job.progress = last  # The stage has begun and has not yet said how far it is.
        seen.append(whole(job))
        for step in (10, 60, 100):
            last = job.progress = progress(stage, step, seed)
            seen.append(whole(job))
    seen += [whole(a_job(stage=stage, seeds=seeds, **spec)) for stage in ("export", "report")]
    seen.append(whole(a_job("succeeded", "report", seeds, **spec)))
    assert all(before <= after + 1e-9 for before, after in pairwise(seen)), seen
    assert seen[-1] == 1
    assert seen[-2] < 1


def test_what_is_left_of_a_job_follows_the_pace_of_its_stage() -> None:
    job = a_job(stage="teacher")
    job.progress = progress("teacher", 50) | {"eta_seconds": 19.0}
    # Half of the teacher's 0.38 takes 19 s; after it 0.60 of the job are left, at the same pace.
    assert seconds_left(job) == pytest.approx(19 + 60)
    assert seconds_left(a_job(stage="teacher")) is None


def test_stages_are_done_when_every_seed_is() -> None:
    finished = [an_event("stage_finished", stage="baseline", seed=seed, seconds=60.0, summary={}) for seed in (0, 1)]
    states = {stop.name: stop for stop in stops(a_job(stage="imitation", seeds=[0, 1]), finished[:1])}
    assert (states["baseline"].state, states["baseline"].note) == ("waiting", "1 of 2 seeds")
    assert states["imitation"].state == "running"
    states = {stop.name: stop for stop in stops(a_job(stage="imitation", seeds=[0, 1]), finished)}
    assert (states["baseline"].state, states["baseline"].note) == ("done", "2 min 00 s")


def test_a_stage_told_twice_after_a_resume_counts_once() -> None:
    told = [
        an_event("stage_finished", stage="teacher", seed=0, seconds=seconds, summary={}) for seconds in (50.0, 60.0)
    ]
    assert stops(a_job(stage="baseline"), told)[1].note == "1 min 00 s"


@pytest.mark.parametrize(("state", "shown"), [("failed", "failed"), ("cancelled", "resting"), ("queued", "resting")])
def test_a_job_that_does_not_run_shows_where_it_stopped(state: str, shown: str) -> None:
    assert stops(a_job(state, "teacher"), [])[1].state == shown


def test_left_out_stages_say_so() -> None:
    assert [stop.state for stop in stops(a_job(stage="teacher", baseline=False), [])][2] == "skipped"


def test_numbers_are_read_at_each_detector_s_best() -> None:
    series = [
        a_series("baseline", [0.4, 0.6, 0.5]),
        a_series("baseline", [0.1, 0.7, 0.9], name="val/ap50/cell"),
        a_series("imitation", [0.5, float("nan"), 0.66]),
        a_series("imitation", [0.2, 0.3, 0.8], name="val/ap50/cell"),
        a_series("teacher", [0.5, 0.6, 0.8]),
    ]
    found = numbers(series)
    assert found is not None
    total, cell = found.rows
    assert total.values == {"teacher": 0.8, "plain": 0.6, "imitated": 0.66}
    assert total.gain == pytest.approx(0.06)
    assert total.closed == pytest.approx(0.3)
    assert (cell.label, cell.values["plain"], cell.values["imitated"], cell.closed) == ("cell", 0.7, 0.8, None)
    assert found.best["plain"] is not None
    assert found.best["plain"].epoch == 2


def test_before_the_first_evaluation_there_are_no_numbers() -> None:
    assert numbers([a_series("teacher", [1.0], name="val/ap50/x")]) is None


def test_pace_compares_at_the_same_step() -> None:
    found = pace([a_series("baseline", [0.1, 0.2, 0.9]), a_series("imitation", [0.1, 0.25])])
    assert found is not None
    assert found.epoch == 2
    assert found.gain == pytest.approx(0.05)


def test_pace_needs_both_students() -> None:
    assert pace([a_series("baseline", [0.1])]) is None
    assert pace([a_series("baseline", [0.1], seed=1), a_series("imitation", [0.1], seed=2)]) is None


def test_every_kind_of_event_has_words() -> None:
    events = [
        an_event("state", **{"from": "running", "to": "failed", "message": "It broke."}),
        an_event("stage_finished", stage="imitation", seed=1, seconds=75.0, summary={"map50": 0.617}),
        an_event("artifact", id="art_1", name="student.onnx", format="onnx", size=1_840_000, facts={}),
        an_event("log", level="warning", message="careful", code="x"),
        an_event("of_tomorrow", a=1),
    ]
    assert [(line.level, line.what, line.text) for line in lines(events)] == [
        ("error", "failed", "It broke."),
        ("info", "stage", "Imitation, seed 1 done in 1 min 15 s, mAP50 61.7 %"),
        ("info", "file", "student.onnx (onnx, 1.84 MB)"),
        ("warning", "warning", "careful"),
        ("info", "of_tomorrow", "a: 1"),
    ]


def test_a_download_line_is_safe_to_paste() -> None:
    row = Artifact(
        id="art_1",
        job_id="job_1",
        name="exports/a; rm -rf ~ $(x).onnx",
        format="onnx",
        media_type="application/octet-stream",
        size=1,
        sha256="0" * 64,
        facts={"map50": 0.5, "parity": True},
    )
    (export,) = downloads([row], "http://localhost:8000/").exports
    assert "-o 'a; rm -rf ~ $(x).onnx' " in export.curl
    assert export.curl.endswith(" http://localhost:8000/v1/artifacts/art_1/content")


def test_numbers_are_written_for_people() -> None:
    assert [duration(seconds) for seconds in (None, 8.4, 200, 7500)] == ["", "8 s", "3 min 20 s", "2 h 05 min"]
    assert [size(count) for count in (412, 1_840_000, 84_000, 999_600)] == ["412 B", "1.84 MB", "84.0 kB", "1.00 MB"]
    assert [age(NOW - timedelta(seconds=s), NOW) for s in (3, 61, 7300, 99_999)] == [
        "just now",
        "1 min ago",
        "2 h ago",
        "1 d ago",
    ]
    assert (points(0.6523), signed(0.031), percent(0.417)) == ("65.2", "+3.1", "42 %")
    assert signed(-0.031)[0] == percent(-0.1)[0] == "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("gain", "written", "ink"),
    [(0.0, "0.0", ""), (-0.0, "0.0", ""), (0.0004, "0.0", ""), (-0.0004, "0.0", ""), (0.001, "+0.1", "up")],
)
def test_a_difference_that_is_written_as_zero_has_neither_sign_nor_ink(gain: float, written: str, ink: str) -> None:
    assert (signed(gain), direction(gain)) == (written, ink)
    assert direction(-0.031) == "down"

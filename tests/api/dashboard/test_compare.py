"""What the comparison of jobs shows, before any HTML."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.dashboard.views.compare import Facts, compare
from api.dashboard.views.measured import Measured
from api.dashboard.views.numbers import numbers
from api.dashboard.views.pareto import Export, candidates, panels
from api.dashboard.views.published import Source, published
from api.dashboard.views.spec_differences import spec_differences
from store.metrics import Point, Series
from store.tables import Artifact, Job
from tests.browser import measurements

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DETECTORS: dict[Any, str] = {"teacher": "big", "plain": "small", "imitated": "small"}


def a_job(number: int, **changes: Any) -> Job:
    spec = {
        "name": f"job {number}",
        "dataset": {"id": "ds_1", "val": "val"},
        "teacher": {"detector": "big"},
        "student": {"detector": "small"},
        "method": {"name": "fine-grained", "threshold": 0.5},
        "seeds": [0],
    } | changes
    return Job(
        id=f"job_{number}",
        name=spec["name"],
        dataset_id=spec["dataset"]["id"],
        spec=spec,
        state="succeeded",
        started_at=NOW,
        finished_at=NOW + timedelta(minutes=number),
    )


def facts(number: int, imitated: float, **changes: Any) -> Facts:
    best = {"teacher": 0.7, "baseline": 0.5, "imitation": imitated}
    return Facts(a_job(number, **changes), best, numbers(series(imitated)), None, [])


def series(imitated: float) -> list[Series]:
    values = {("teacher", "val/map50"): 0.7, ("baseline", "val/map50"): 0.5, ("imitation", "val/map50"): imitated}
    values |= {(stage, "val/ap50/cell"): value + 0.1 for (stage, _), value in values.items()}
    return [Series(stage, 0, name, 1, [Point(9, 1.0, value, 1, NOW)]) for (stage, name), value in values.items()]


def export(job: str, size: int, map50: float, latency: float | None) -> Export:
    return Export(job, "job_1", f"{job}.onnx", "onnx", size, map50, latency, True, "/")


def test_only_fields_that_differ_stand_on_top() -> None:
    one, other = (a_job(n, method={"name": "fine-grained", "threshold": psi}).spec for n, psi in ((1, 0.3), (2, 0.5)))
    found = spec_differences([one, other])
    assert [(field.path, field.values) for field in found.differing] == [("method.threshold", ("0.3", "0.5"))]
    assert "name" not in {field.path for field in found.same}


def test_a_field_that_one_method_lacks_differs() -> None:
    found = spec_differences([{"method": {"name": "none"}}, {"method": {"name": "hint", "kernel": 3}}])
    assert ("method.kernel", ("", "3")) in {(field.path, field.values) for field in found.differing}


def test_the_best_of_each_line_is_marked_and_less_time_is_better() -> None:
    view = compare([facts(1, 0.6), facts(2, 0.65)])
    best = {row.label: row.best for row in view.rows}
    assert best["Imitated"] == {1}
    assert best["Time"] == {0}
    assert best["Teacher"] == frozenset()
    assert [column.letter for column in view.columns] == ["A", "B"]


def test_a_comparison_of_two_cannot_lose_one_and_of_three_can() -> None:
    two = compare([facts(1, 0.6), facts(2, 0.6)])
    three = compare([facts(n, 0.6) for n in (1, 2, 3)])
    assert {column.without for column in two.columns} == {None}
    assert three.columns[0].without == "/compare?job=job_2&job=job_3"


def test_other_data_is_called_out() -> None:
    assert compare([facts(1, 0.6), facts(2, 0.6)]).same_data
    assert not compare([facts(1, 0.6), facts(2, 0.6, dataset={"id": "ds_2", "val": "val"})]).same_data


def test_what_is_beaten_in_everything_is_not_on_the_front() -> None:
    found = candidates([export("A", 100, 0.6, 3.0), export("B", 50, 0.5, 2.0), export("C", 120, 0.55, 4.0)])
    assert [(one.export.job, one.unbeaten) for one in found] == [("A", True), ("C", False), ("B", True)]


def test_equals_do_not_beat_one_another() -> None:
    assert all(one.unbeaten for one in candidates([export("A", 100, 0.6, 3.0), export("B", 100, 0.6, 3.0)]))


def test_a_panel_stays_within_its_frame_and_better_is_higher() -> None:
    found = candidates([export("A", 100_000, 0.6, 3.0), export("B", 9_000_000, 0.7, None)])
    (size,) = panels(found)
    spots = {spot.label: spot for spot in size.spots}
    assert spots["B"].y < spots["A"].y
    assert spots["A"].x < spots["B"].x
    assert all(40 <= spot.x <= 498 and 14 <= spot.y <= 216 for spot in size.spots)
    assert 2 <= len(size.x_ticks) <= 6
    assert 3 <= len(size.y_ticks) <= 7


def test_exports_that_stand_at_one_place_share_a_spot() -> None:
    size, _ = panels(candidates([export("A", 100, 0.6, 3.0), export("B", 100, 0.6, 3.0), export("C", 300, 0.7, 4.0)]))
    assert sorted(spot.label for spot in size.spots) == ["A, B", "C"]


def test_one_export_draws_no_panel() -> None:
    assert panels(candidates([export("A", 1, 0.5, 1.0)])) == ()


def test_exports_come_from_the_jobs_files() -> None:
    measured = {"map50": 0.61, "latency_ms": 2.5, "parity": True}
    values = {"media_type": "application/octet-stream", "size": 5, "sha256": "ab", "job_id": "job_1"}
    files = [
        Artifact(id="art_1", name="student.onnx", format="onnx", facts=measured, **values),
        Artifact(id="art_2", name="evaluation.json", format="json", facts={}, **values),
    ]
    one = facts(1, 0.6)
    view = compare([Facts(one.job, one.best, one.numbers, None, files), facts(2, 0.6)])
    assert [(one.export.job, one.export.name) for one in view.exports] == [("A", "student.onnx")]


def test_the_published_table_has_a_line_a_detector_and_the_gain() -> None:
    table = published([Source("A", DETECTORS, numbers(series(0.6)), None)])
    assert table.columns == ("cell",)
    assert [(line.detector, line.suffix, line.mean) for line in table.lines] == [
        ("big", "", 0.7),
        ("small", "", 0.5),
        ("small", "-I", 0.6),
    ]
    assert table.lines[2].gain == pytest.approx(0.1)
    assert table.lines[2].relative == pytest.approx(0.2)


def test_where_all_measured_kitti_its_difficulties_are_the_columns() -> None:
    example = json.loads(json.dumps(measurements.evaluation()))
    values = {"easy": 0.9, "moderate": 0.8, "hard": 0.7}
    kitti = {"classes": {"car": {"ap11": values, "ap40": values}}, "map11": 0.8, "map40": 0.8}
    for run in example["runs"]:
        run["evaluation"]["kitti"] = kitti
    table = published([Source("A", DETECTORS, None, Measured.model_validate(example))])
    assert table.groups == (("car", 3),)
    assert table.lines[0].cells == (0.9, 0.8, 0.7)
    assert table.lines[2].mean == 0.8


def test_jobs_that_measured_nothing_are_compared_by_their_specs_alone() -> None:
    view = compare([Facts(a_job(n), {}, None, None, []) for n in (1, 2)])
    assert (view.published.lines, view.exports, view.panels) == ((), (), ())
    assert [row.label for row in view.rows] == ["Time"]

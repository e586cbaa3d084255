"""What the page of evaluation shows, before any HTML."""

import json
from typing import Any

import pytest

from api.dashboard.views.confusion import MOST_CLASSES, matrix, mistakes
from api.dashboard.views.error_kinds import kind_rows
from api.dashboard.views.evaluation import evaluation
from api.dashboard.views.measured import Confusion, Counts, Measured
from api.dashboard.views.pr_curves import pr_curves
from fgfi_core.results import JobEvaluation
from tests.browser import measurements


def measured(*scores: tuple[str, int, float]) -> Measured:
    """Runs of role, seed and mAP50; the example's three roles without any."""
    example = measurements.evaluation()
    if scores:
        made = []
        for role, seed, score in scores:
            run = json.loads(json.dumps(next(one for one in example["runs"] if one["role"] == role)))
            run["seed"], run["evaluation"]["voc"]["map50"] = seed, score
            made.append(run)
        example["runs"] = made
    return Measured.model_validate_json(json.dumps(example))


def test_what_a_run_writes_is_what_the_page_reads() -> None:
    text = json.dumps(measurements.evaluation())
    written = JobEvaluation.model_validate_json(text)
    assert Measured.model_validate_json(written.model_dump_json()) == Measured.model_validate_json(text)


def test_a_field_of_a_later_version_is_no_error() -> None:
    Measured.model_validate_json(json.dumps(measurements.evaluation() | {"invented": 1}))


def test_totals_are_means_over_seeds_and_gain_is_against_plain() -> None:
    view = evaluation(measured(("teacher", 0, 0.7), ("plain", 0, 0.5), ("plain", 1, 0.6), ("imitated", 0, 0.65)))
    total = view.totals[0]
    assert total.values == pytest.approx({"teacher": 0.7, "plain": 0.55, "imitated": 0.65})
    assert total.gain == pytest.approx(0.1)
    assert view.repeated


def test_curves_show_plain_with_the_seed_of_the_delivered_student() -> None:
    view = evaluation(
        measured(("plain", 0, 0.6), ("plain", 1, 0.5), ("imitated", 0, 0.6), ("imitated", 1, 0.65)),
    )
    assert view.seeds == {"plain": 1, "imitated": 1}


def test_rules_that_were_not_asked_for_are_left_out() -> None:
    view = evaluation(measured())
    assert [row.label for row in view.totals] == ["mAP50", "mAP50, 11-point"]
    assert view.kitti == ()


def test_a_change_is_drawn_against_the_largest_one() -> None:
    view = evaluation(measured())
    assert {row.reach for row in view.classes} == {1.0}
    assert [row.boxes for row in view.sizes] == [30, 30, 30]


def test_a_class_without_a_box_has_no_number_and_breaks_nothing() -> None:
    example: dict[str, Any] = json.loads(json.dumps(measurements.evaluation()))
    for run in example["runs"]:
        empty: dict[str, list[float]] = {"precision": [], "recall": [], "scores": []}
        run["evaluation"]["classes"]["cell"] |= {"boxes": 0, "ap50": None, "curve": empty}
    view = evaluation(Measured.model_validate(example))
    cell = next(row for row in view.classes if row.row.label == "cell")
    assert (cell.row.gain, cell.reach) == (None, 0.0)


def test_a_curve_is_of_one_class_and_every_role() -> None:
    curves = pr_curves(measured(), "cell")
    assert [one["role"] for one in curves] == ["teacher", "plain", "imitated"]
    assert len(curves[0]["recall"]) == len(curves[0]["scores"]) == 18
    assert pr_curves(measured(), "unheard of") == []


def test_confusion_is_shaded_by_the_share_of_its_row() -> None:
    found = matrix(Confusion(classes=("a", "b"), counts=((9, 1, 0), (0, 0, 0), (2, 2, 0))))
    assert found is not None
    assert found.columns == ("a", "b", "nothing found")
    assert [cell.shade for cell in found.rows[0][1]] == [8, 1, 0]
    assert [cell.share for cell in found.rows[1][1]] == [None, None, None]
    assert found.rows[2][0] == "no box"


def test_of_many_classes_only_the_mistakes_are_listed() -> None:
    count = MOST_CLASSES + 1
    counts = [[0] * (count + 1) for _ in range(count + 1)]
    counts[3][5], counts[4][2] = 7, 9
    many = Confusion(classes=tuple(f"c{n}" for n in range(count)), counts=tuple(map(tuple, counts)))
    assert matrix(many) is None
    assert [(one.truth, one.found, one.count) for one in mistakes(many)] == [("c4", "c2", 9), ("c3", "c5", 7)]


def test_kinds_that_nobody_makes_are_left_out() -> None:
    rows = kind_rows({"plain": Counts(true=1, errors={"missed": 4, "both": 0}), "imitated": Counts(true=1, errors={})})
    assert [(row.label, row.counts, row.shares) for row in rows] == [
        ("Missed", {"plain": 4, "imitated": 0}, {"plain": 1.0, "imitated": 0.0})
    ]

"""Variants as they are written, and how arms stand beside each other, before any HTML."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.dashboard.views.groups import group_view
from api.dashboard.views.variants import VariantMistake, read_variants
from api.schemas.groups import MOST_ARMS, ArmOut, GainOut, GroupOut
from api.scores import Scores

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def arm(label: str, imitated: float | None = 0.6, gain: GainOut | None = None, **values: Any) -> ArmOut:
    standard: dict[str, Any] = {
        "changes": {"method": {"threshold": 0.3}},
        "job_id": f"job_{label}",
        "state": "succeeded",
        "stage": None,
        "progress": None,
        "student": "small",
        "method": "fine-grained",
        "by_seed": {},
        "error": None,
        "finished_at": None,
    }
    scores = Scores(teacher=0.7, plain=0.5, imitated=imitated)
    return ArmOut(label=label, gain=gain, scores=scores, **(standard | values))


def a_group(*arms: ArmOut) -> GroupOut:
    rest: dict[str, Any] = {"states": {"succeeded": len(arms)}, "over": True, "created_at": NOW, "base": {}}
    return GroupOut(
        id="grp_1", name="psi", arms=len(arms), differs=["method.threshold"], fair=True, summary=list(arms), **rest
    )


def test_lines_become_merge_patches() -> None:
    found = read_variants("method.threshold=0.3\n\nfew epochs: schedule.epochs=10, seeds=[0, 1]\nbase\n")
    assert [(one.label, one.changes) for one in found] == [
        (None, {"method": {"threshold": 0.3}}),
        ("few epochs", {"schedule": {"epochs": 10}, "seeds": [0, 1]}),
        ("base", {}),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one"),
        ("base\nmethod.threshold", "Line 2: 'method.threshold' is no change"),
        ("=1", "is no change"),
        ("a..b=1", "is no change"),
        ("a=[1", "is no value"),
        ("a=*x", "is no value"),
        (f"{'l' * 101}: a=1", "a label has 1 to 100"),
        ("a=1, a.b=2", "a has a value already"),
        ("x" * 500, "more than 400"),
        ("base\n" * (MOST_ARMS + 1), "at most 64"),
    ],
)
def test_a_line_that_is_no_variant_is_named(text: str, said: str) -> None:
    with pytest.raises(VariantMistake, match=said.replace("[", r"\[")):
        read_variants(text)


def test_intervals_share_one_axis_with_zero_on_it() -> None:
    first = arm("a", gain=GainOut(differences=[0.03, 0.05], mean=0.04, low=-0.01, high=0.09))
    second = arm("b", gain=GainOut(differences=[0.02], mean=0.02, low=None, high=None))
    view = group_view(a_group(first, second))
    one, other = (found.interval for found in view.arms)
    assert one is not None
    assert other is not None
    assert one.low is not None
    assert one.high is not None
    assert 0 < one.low < view.zero < other.at < one.at < one.high < 100
    assert (other.low, other.high) == (None, None)
    assert "95 % interval" in one.words
    assert "+0" in {label for _, label in view.ticks}
    assert all(0 <= at <= 100 for at, _ in view.ticks)


def test_before_the_end_the_gain_is_told_as_so_far() -> None:
    (found,) = group_view(a_group(arm("a", state="running", stage="imitation"))).arms
    assert found.interval is not None
    assert not found.interval.final
    assert found.interval.words.endswith("so far")
    assert found.note == "Imitation"


def test_only_where_arms_differ_is_one_the_best() -> None:
    one, other = group_view(a_group(arm("a", 0.6), arm("b", 0.65))).arms
    assert not one.best
    assert set(other.best) == {"imitated"}


def test_an_arm_without_anything_measured_and_a_deleted_one_are_shown() -> None:
    nothing = ArmOut(
        label="gone",
        changes={},
        job_id=None,
        state=None,
        stage=None,
        progress=None,
        student=None,
        method=None,
        scores=Scores(),
        by_seed={},
        gain=None,
        error=None,
        finished_at=None,
    )
    view = group_view(a_group(nothing))
    assert (view.arms[0].state, view.arms[0].interval, view.arms[0].changes) == ("deleted", None, "the base")
    assert view.compare is None


def test_two_to_ten_arms_can_be_compared_in_full() -> None:
    assert group_view(a_group(arm("a"), arm("b"))).compare == "/compare?job=job_a&job=job_b"
    assert group_view(a_group(*(arm(str(n)) for n in range(11)))).compare is None

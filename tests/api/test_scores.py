"""The share of the gap that imitation closed."""

import pytest

from api.scores import Scores


def test_it_is_measured_from_plain_to_teacher() -> None:
    assert Scores(teacher=0.7, plain=0.5, imitated=0.55).gap_closed == pytest.approx(0.25)
    assert Scores(teacher=0.7, plain=0.5, imitated=0.45).gap_closed == pytest.approx(-0.25)


@pytest.mark.parametrize(
    "scores",
    [
        Scores(),
        Scores(teacher=0.7, plain=0.5),
        Scores(teacher=0.5, plain=0.5, imitated=0.6),
        Scores(plain=0.5, imitated=0.6),
    ],
)
def test_without_a_gap_there_is_no_share(scores: Scores) -> None:
    assert scores.gap_closed is None


def test_stages_train_their_roles() -> None:
    scores = Scores.of({"teacher": 0.7, "baseline": 0.5, "imitation": 0.6, "export": 0.1})
    assert (scores.teacher, scores.plain, scores.imitated) == (0.7, 0.5, 0.6)

import pytest

from fgfi_core.training.schedule import learning_rate


def test_warm_up_rises_linearly_to_the_peak() -> None:
    assert [learning_rate(s, 100, 0.4, 4) for s in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_the_cosine_starts_at_the_peak_halves_midway_and_ends_at_zero() -> None:
    assert learning_rate(10, 110, 0.2, 10) == pytest.approx(0.2)
    assert learning_rate(60, 110, 0.2, 10) == pytest.approx(0.1)
    assert learning_rate(110, 110, 0.2, 10) == pytest.approx(0.0)


def test_a_training_shorter_than_its_warm_up_only_rises() -> None:
    rates = [learning_rate(s, 5, 1.0, 100) for s in range(5)]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(0.05)

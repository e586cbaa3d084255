import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # Publishes no types.

from fgfi_core.evaluation.gain import gain, say


def test_seeds_are_paired_and_others_left_out() -> None:
    found = gain({0: 0.5, 1: 0.6, 7: 0.9}, {1: 0.65, 0: 0.52, 8: 0.1})
    assert found is not None
    assert found.differences == pytest.approx((0.02, 0.05))
    assert found.mean == pytest.approx(0.035)


def test_the_interval_is_students() -> None:
    rng = np.random.default_rng(0)
    plain, imitated = rng.random(5), rng.random(5)
    found = gain(dict(enumerate(plain)), dict(enumerate(imitated)))
    expected = stats.ttest_rel(imitated, plain).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_two_seeds_by_hand() -> None:
    # Differences of 1 and 3 points: mean 2, standard error 1, t with one degree of freedom 12.706.
    found = gain({0: 0.5, 1: 0.5}, {0: 0.51, 1: 0.53})
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.02 - 0.12706, 0.02 + 0.12706), abs=1e-5)
    assert found.distinguishable is False
    assert say(found) == (
        "Imitation gained 2.0 points of mAP on average over 2 seeds (95 % interval -10.7 to +14.7), "
        "which cannot be told from zero."
    )


def test_a_clear_gain_and_a_clear_loss_are_said_without_doubt() -> None:
    plain = {0: 0.5, 1: 0.6, 2: 0.55}
    won = gain(plain, {0: 0.52, 1: 0.62, 2: 0.5701})
    lost = gain(plain, {0: 0.48, 1: 0.58, 2: 0.5299})
    assert won is not None
    assert lost is not None
    assert say(won) == "Imitation gained 2.0 points of mAP on average over 3 seeds (95 % interval +2.0 to +2.0)."
    assert say(lost) == "Imitation lost 2.0 points of mAP on average over 3 seeds (95 % interval -2.0 to -2.0)."


def test_one_seed_has_no_interval_and_says_so() -> None:
    found = gain({3: 0.5}, {3: 0.518})
    assert found is not None
    assert (found.low, found.high, found.distinguishable) == (None, None, None)
    assert (
        say(found)
        == "Imitation gained 1.8 points of mAP with one seed, which says nothing of the spread between seeds."
    )


def test_without_a_shared_seed_there_is_no_gain() -> None:
    assert gain({0: 0.5}, {1: 0.6}) is None
    assert gain({}, {}) is None


def test_the_same_result_everywhere_cannot_be_told_from_zero() -> None:
    found = gain({0: 0.5, 1: 0.5}, {0: 0.5, 1: 0.5})
    assert found is not None
    assert found.distinguishable is False


def test_a_loss_that_rounds_to_nothing_is_not_called_one() -> None:
    found = gain({0: 0.5001}, {0: 0.5})
    assert found is not None
    assert say(found).startswith("Imitation gained 0.0 points")

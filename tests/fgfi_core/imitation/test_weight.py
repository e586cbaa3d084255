"""The weight makes imitation pull as hard as asked, is frozen after its measurements, and survives a checkpoint."""

import pytest
import torch
from torch import Tensor

from fgfi_core.imitation import GradientBalance


def losses(maps: list[Tensor], detection: float, imitation: float) -> tuple[Tensor, Tensor]:
    """Two losses whose gradients at the maps have these norms."""
    direction = [m.detach() / torch.stack([m.detach().norm() for m in maps]).norm() for m in maps]
    pull = torch.stack([(m * d).sum() for m, d in zip(maps, direction, strict=True)]).sum()
    return detection * pull, imitation * pull


@pytest.fixture
def maps() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, n, n, generator=generator).requires_grad_() for n in (4, 2)]


def test_weighted_imitation_has_the_wanted_share_of_the_detection_gradient(maps: list[Tensor]) -> None:
    balance = GradientBalance(balance=0.5, steps=3)
    detection, imitation = losses(maps, 6.0, 0.04)
    balance.update(detection, imitation, maps)
    assert balance.value is not None
    wanted = torch.autograd.grad(detection, maps, retain_graph=True)
    got = torch.autograd.grad(balance.value * imitation, maps)
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, 0.5 * b)


def test_there_is_no_weight_before_the_first_measurement() -> None:
    assert GradientBalance(balance=0.5, steps=3).value is None


def test_value_follows_the_newest_ratio_and_freezes_at_the_median_of_the_later_half(maps: list[Tensor]) -> None:
    balance = GradientBalance(balance=1.0, steps=6)
    seen = []
    for ratio in (4000.0, 100.0, 30.0, 2.0, 9.0, 4.0, 1000.0):
        balance.update(*losses(maps, ratio, 1.0), maps)
        seen.append(balance.value)
    assert seen == pytest.approx([4000.0, 100.0, 30.0, 2.0, 9.0, 4.0, 4.0])
    assert balance.frozen


def test_one_measurement_is_enough_when_one_is_asked_for(maps: list[Tensor]) -> None:
    balance = GradientBalance(balance=1.0, steps=1)
    balance.update(*losses(maps, 5.0, 1.0), maps)
    assert balance.value == pytest.approx(5.0)


@pytest.mark.parametrize(("detection", "imitation"), [(1.0, 0.0), (0.0, 1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_step_without_a_usable_gradient_is_no_measurement(
    maps: list[Tensor], detection: float, imitation: float
) -> None:
    balance = GradientBalance(balance=1.0, steps=1)
    balance.update(*losses(maps, detection, imitation), maps)
    assert balance.value is None
    assert not balance.frozen


def test_a_map_that_a_loss_does_not_use_counts_as_zero(maps: list[Tensor]) -> None:
    balance = GradientBalance(balance=1.0, steps=1)
    balance.update(3.0 * maps[0].sum(), maps[0].sum(), maps)
    assert balance.value == pytest.approx(3.0)


def test_measuring_leaves_the_graph_for_the_training_step(maps: list[Tensor]) -> None:
    balance = GradientBalance(balance=1.0, steps=1)
    detection, imitation = losses(maps, 2.0, 1.0)
    balance.update(detection, imitation, maps)
    torch.autograd.backward(detection + imitation)
    assert maps[0].grad is not None


def test_a_restored_balance_continues_where_it_was(maps: list[Tensor]) -> None:
    whole, first, second = (GradientBalance(balance=0.5, steps=4) for _ in range(3))
    ratios = (3.0, 7.0, 5.0, 9.0, 11.0)
    for ratio in ratios:
        whole.update(*losses(maps, ratio, 1.0), maps)
    for ratio in ratios[:2]:
        first.update(*losses(maps, ratio, 1.0), maps)
    second.load_state_dict(first.state_dict())
    for ratio in ratios[2:]:
        second.update(*losses(maps, ratio, 1.0), maps)
    assert second.value == whole.value


@pytest.mark.parametrize(("balance", "steps"), [(0.0, 1), (-1.0, 1), (0.5, 0)])
def test_a_balance_that_cannot_be_measured_is_refused(balance: float, steps: int) -> None:
    with pytest.raises(ValueError, match="balance"):
        GradientBalance(balance, steps)

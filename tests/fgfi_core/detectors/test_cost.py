import torch
from torch import nn

from fgfi_core.detectors.cost import multiply_adds


def test_a_convolution_costs_its_kernel_at_every_output_value() -> None:
    assert multiply_adds(nn.Conv2d(4, 8, 3, padding=1), torch.zeros(1, 4, 5, 6)) == 5 * 6 * 8 * 4 * 9


def test_groups_divide_the_cost() -> None:
    assert multiply_adds(nn.Conv2d(4, 8, 1, groups=4), torch.zeros(1, 4, 5, 6)) == 5 * 6 * 8


def test_a_linear_layer_costs_its_weight() -> None:
    assert multiply_adds(nn.Linear(7, 3), torch.zeros(1, 7)) == 21


def test_the_mode_is_left_as_it_was() -> None:
    norm = nn.BatchNorm2d(1)
    net = nn.Sequential(nn.Conv2d(1, 1, 1), norm).train()
    multiply_adds(net, torch.ones(1, 1, 2, 2))
    assert net.training
    assert norm.num_batches_tracked == 0


def test_only_what_is_called_counts() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    assert multiply_adds(net, torch.zeros(1, 2), call=net[0]) == 6

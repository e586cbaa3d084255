import pytest
import torch

from fgfi_core.detectors.shufflenetv1 import HalvingUnit, Shuffle, same_padding


def pass_through(image: torch.Tensor) -> torch.Tensor:
    height, width = image.shape[2:]
    unit = HalvingUnit(1, 13, (width, height), first=True).eval()
    pooled: torch.Tensor = unit(image)[0, 0]
    return pooled


@pytest.mark.parametrize("size", [(8, 6), (7, 6), (8, 5), (7, 5)])
def test_pooling_takes_the_mean_of_what_lies_inside(size: tuple[int, int]) -> None:
    width, height = size
    mean = pass_through(torch.full((1, 1, height, width), 3.0))
    torch.testing.assert_close(mean, torch.full((-(-height // 2), -(-width // 2)), 3.0))


def test_a_cell_of_an_even_map_looks_one_to_the_right_of_its_double() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 6, 8)
    assert pass_through(ramp)[0, :3].tolist() == [1, 3, 5]


def test_a_cell_of_an_odd_map_looks_at_its_double() -> None:
    ramp = torch.arange(9.0).expand(1, 1, 6, 9)
    assert pass_through(ramp)[0, 1:4].tolist() == [2, 4, 6]


def test_same_padding_fills_the_far_side_first() -> None:
    assert same_padding((8, 5)) == (0, 1, 1, 1)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_shuffle_takes_one_channel_of_each_group_in_turn(memory_format: torch.memory_format) -> None:
    channels = torch.arange(6.0).reshape(1, 6, 1, 1).repeat(2, 1, 2, 3).contiguous(memory_format=memory_format)
    assert Shuffle()(channels)[1, :, 1, 2].tolist() == [0, 2, 4, 1, 3, 5]

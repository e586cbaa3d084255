import pytest
import torch
from torchvision.models.shufflenetv2 import InvertedResidual

from fgfi_core.detectors.shufflenetv2 import Trunk, Unit


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_unit_computes_what_torchvision_computes(stride: int, memory_format: torch.memory_format) -> None:
    ours, theirs = Unit(8, 8 * stride, stride).eval(), InvertedResidual(8, 8 * stride, stride).eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 8, 6, 10).contiguous(memory_format=memory_format)
    torch.testing.assert_close(ours(x), theirs(x))


def test_channels_last_is_kept_through_a_trunk() -> None:
    trunk = Trunk(24, ((24, 2), (48, 2))).build().to(memory_format=torch.channels_last)
    images = torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    assert trunk(images).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("trunk", [Trunk(24, ((24, 1), (48, 1))), Trunk(24, ((24, 1), (48, 1), (96, 1)), pool=False)])
def test_a_trunk_halves_as_often_as_it_says(trunk: Trunk) -> None:
    assert trunk.build()(torch.rand(2, 3, 64, 96)).shape == (
        2,
        trunk.channels,
        64 >> trunk.halvings,
        96 >> trunk.halvings,
    )

from collections import OrderedDict

import torch
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign

from fgfi_core.detectors.region_pooling import RegionPooling

STRIDES = (4, 8, 16, 32)
SIZE = (512, 384)


def maps() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand((2, 3, SIZE[1] // stride, SIZE[0] // stride), generator=generator) for stride in STRIDES]


def boxes(count: int) -> Tensor:
    """Of sides from about 4 to 600 pixels, [count, 4], some across the border."""
    generator = torch.Generator().manual_seed(count)
    corner = torch.rand((count, 2), generator=generator) * 100
    side = 4 * 150 ** torch.rand((count, 1), generator=generator)
    return torch.cat((corner, corner + side * (0.7 + torch.rand((count, 2), generator=generator))), dim=1)


def test_regions_are_pooled_as_torchvision_does() -> None:
    by_image = [boxes(60), boxes(30)]
    regions = torch.cat([torch.nn.functional.pad(b, (1, 0), value=i) for i, b in enumerate(by_image)])
    pooling = RegionPooling(STRIDES, 7, 2)
    assert set(pooling.levels(regions).tolist()) == {0, 1, 2, 3}
    named = OrderedDict((str(i), features) for i, features in enumerate(maps()))
    reference = MultiScaleRoIAlign(list(named), 7, 2)(named, by_image, [SIZE[::-1]] * 2)
    torch.testing.assert_close(pooling(maps(), regions), reference)


def test_regions_of_images_in_any_order_are_pooled_from_their_own() -> None:
    regions = torch.nn.functional.pad(boxes(6), (1, 0))
    regions[:, 0] = torch.tensor([1.0, 0, 1, 1, 0, 0])
    pooling = RegionPooling(STRIDES, 7, 2)
    together = pooling(maps(), regions)
    for row in range(6):
        torch.testing.assert_close(together[row : row + 1], pooling(maps(), regions[row : row + 1]))


def test_one_level_takes_every_region() -> None:
    regions = torch.nn.functional.pad(boxes(20), (1, 0))
    assert RegionPooling((16,), 7, 2)(maps()[2:3], regions).shape == (20, 3, 7, 7)


def test_a_region_of_224_pixels_belongs_to_stride_16() -> None:
    regions = torch.tensor([[0.0, 0, 0, 224, 224], [0, 0, 0, 223, 224], [0, 0, 0, 112, 112], [0, 0, 0, 5, 5]])
    assert RegionPooling(STRIDES, 7, 2).levels(regions).tolist() == [2, 1, 1, 0]


def test_no_region_at_all_is_pooled_to_nothing() -> None:
    assert RegionPooling(STRIDES, 7, 2)(maps(), torch.zeros(0, 5)).shape == (0, 3, 7, 7)

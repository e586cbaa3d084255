from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fgfi_core.detectors import create
from fgfi_core.detectors.efficientnet_lite import (
    EfficientNetLite0,
    Group,
    MBConv,
    same_padding,
)
from fgfi_core.detectors.efficientnet_lite_weights import imagenet_weights, under_trunk_names
from fgfi_core.errors import WeightsUnavailable


def published_names(trunk: EfficientNetLite0) -> dict[str, Tensor]:
    """A trunk's state under the names that the weights were published with."""
    parts = {"expand.0": "_expand_conv", "expand.1": "_bn0", "depthwise.0": "_depthwise_conv", "depthwise.1": "_bn1"}
    parts |= {"project.0": "_project_conv", "project.1": "_bn2"}
    state = {}
    for name, tensor in trunk.state_dict().items():
        head, kind = name.rsplit(".", 1)
        if head.startswith("stem"):
            state[f"{'_conv_stem' if head == 'stem.0' else '_bn0'}.{kind}"] = tensor
        else:
            _, block, part, layer = head.split(".")
            state[f"_blocks.{block}.{parts[f'{part}.{layer}']}.{kind}"] = tensor
    return state


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for weights of a package that has none."""
    package = tmp_path / f"weights_for_{tmp_path.name}"  # Python remembers a package by its name.
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return package / "models"


def test_published_names_reach_every_tensor_of_the_trunk() -> None:
    state = {
        **published_names(EfficientNetLite0((64, 64))),
        "_conv_head.weight": torch.zeros(1),
        "_fc.bias": torch.zeros(1),
    }
    state["_blocks.11._expand_conv.weight"] = torch.zeros(1)
    other = EfficientNetLite0((64, 64))
    other.load_state_dict(dict(under_trunk_names(state)))
    for name, tensor in published_names(other).items():
        assert torch.equal(tensor, state[name])


def test_imagenet_weights_fill_the_trunk_and_give_the_features_of_their_reference() -> None:
    detector = create("ssd-efficientnet-lite0", 3, (96, 64)).eval()
    left = detector.load_state_dict(dict(detector.imagenet_weights()), strict=False)
    assert not left.unexpected_keys
    assert {name.split(".")[0] for name in left.missing_keys} == {"head_norm", "class_head", "box_head"}

    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        (features,) = detector.features(images)
    # As the package efficientnet_lite_pytorch 0.1.0 computes them from the same file, to the last bit.
    assert features.mean().item() == pytest.approx(-0.307676, abs=1e-4)
    assert features.std().item() == pytest.approx(4.707620, abs=1e-4)


def test_without_the_package_the_error_says_what_to_install() -> None:
    with pytest.raises(WeightsUnavailable, match="Install the package no-such-weights"):
        imagenet_weights("no_such_weights")


def test_a_package_without_the_file_is_as_good_as_none(folder: Path) -> None:
    assert not list(folder.iterdir())
    with pytest.raises(WeightsUnavailable, match="not installed"):
        imagenet_weights(folder.parent.name)


def test_another_file_of_that_name_is_refused(folder: Path) -> None:
    torch.save({}, folder / "efficientnet-lite0-57934424.pth")
    with pytest.raises(WeightsUnavailable, match="not the file its name's hash says"):
        imagenet_weights(folder.parent.name)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "zeros"),
    [(8, 3, 2, (0, 1)), (9, 3, 2, (1, 1)), (8, 5, 2, (1, 2)), (9, 5, 2, (2, 2)), (7, 5, 1, (2, 2)), (7, 1, 1, (0, 0))],
)
def test_same_padding_fills_the_far_side_first(size: int, kernel: int, stride: int, zeros: tuple[int, int]) -> None:
    assert same_padding(size, kernel, stride) == zeros


@pytest.mark.parametrize("size", [(8, 6), (7, 6), (8, 5)])
def test_a_strided_block_sees_the_same_cells_as_explicit_padding(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    block = MBConv(4, Group(1, 5, 2, 6, 8), size, stride=2).eval()
    width, height = size
    x = torch.randn(1, 4, height, width)
    padded = nn.functional.pad(block.expand(x), (*same_padding(width, 5, 2), *same_padding(height, 5, 2)))
    convolution, norm, activation = block.depthwise.children()
    plain = nn.functional.conv2d(padded, convolution.weight, stride=2, groups=24)
    torch.testing.assert_close(block(x), block.project(activation(norm(plain))))


def test_a_shortcut_is_only_where_the_shape_stays() -> None:
    trunk = EfficientNetLite0((64, 64))
    assert [block.shortcut for block in trunk.blocks if isinstance(block, MBConv)] == [
        shortcut for blocks in (1, 2, 2, 3, 3) for shortcut in (False, *[True] * (blocks - 1))
    ]


def test_the_heads_see_a_map_of_unit_deviation_however_wide_the_trunks_is() -> None:
    detector = create("ssd-efficientnet-lite0", 3, (96, 64)).train()
    maps = [100 * torch.randn(2, 112, 4, 6)]
    with torch.no_grad():
        wide, plain = detector.heads(maps)["logits"], detector.heads([maps[0] / 100])["logits"]
    torch.testing.assert_close(wide, plain, rtol=1e-3, atol=1e-4)

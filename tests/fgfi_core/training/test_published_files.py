"""Files of torchvision's own detection models, under today's names and under those its published files have."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import detection

from fgfi_core.detectors import create
from fgfi_core.errors import BadData
from fgfi_core.training.initialise import from_file

SIZE = 128
CLASSES = 3
Heads = Callable[[Any, Tensor], list[Tensor]]


def one_stage(theirs: Any, images: Tensor) -> list[Tensor]:
    return list(theirs.head(list(theirs.backbone(images).values())).values())


def proposals(theirs: Any, images: Tensor) -> list[Tensor]:
    objectness, deltas = theirs.rpn.head(list(theirs.backbone(images).values()))
    pooled = torch.rand(2, 256, 7, 7, generator=torch.Generator().manual_seed(1))
    return [*objectness, *deltas, *theirs.roi_heads.box_predictor(theirs.roi_heads.box_head(pooled))]


MODELS: list[tuple[str, Callable[..., Any], int, Heads]] = [
    ("retinanet-resnet50-fpn", detection.retinanet_resnet50_fpn, 0, one_stage),
    ("fcos-resnet50-fpn", detection.fcos_resnet50_fpn, 0, one_stage),
    ("ssdlite320-mobilenet-v3-half-tail", detection.ssdlite320_mobilenet_v3_large, 1, one_stage),
    ("faster-rcnn-resnet50-fpn", detection.fasterrcnn_resnet50_fpn, 1, proposals),
    ("faster-rcnn-mobilenet-v3-320-fpn", detection.fasterrcnn_mobilenet_v3_large_320_fpn, 1, proposals),
]


def published_name(name: str) -> str:
    """As before torchvision 0.13: written by hand, the other way round than the product reads them."""
    name = re.sub(r"(fpn\.(?:inner|layer)_blocks\.\d)\.0\.", r"\1.", name)
    name = re.sub(r"(rpn\.head\.conv)\.0\.0\.", r"\1.", name)
    return re.sub(r"(_head\.conv)\.(\d)\.0\.(?!\d)", lambda found: f"{found[1]}.{2 * int(found[2])}.", name)


@pytest.mark.parametrize(("name", "build", "background", "heads"), MODELS, ids=[model[0] for model in MODELS])
@pytest.mark.parametrize("rename", [str, published_name], ids=["todays names", "published names"])
def test_a_model_of_torchvisions_says_the_same_when_loaded_from_its_file(
    name: str,
    build: Callable[..., Any],
    background: int,
    heads: Heads,
    rename: Callable[[str], str],
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    theirs = build(weights=None, weights_backbone=None, num_classes=CLASSES + background).eval()
    path = tmp_path / "torchvision.safetensors"
    save_file({rename(key): tensor for key, tensor in theirs.state_dict().items()}, path)
    ours: Any = create(name, CLASSES, (SIZE, SIZE)).eval()
    images = torch.rand(1, 3, SIZE, SIZE)

    assert from_file(ours, path, complete=True) == ()

    mean, deviation = (
        torch.tensor(of).view(1, 3, 1, 1) for of in (theirs.transform.image_mean, theirs.transform.image_std)
    )
    with torch.no_grad():
        expected = heads(theirs, (images - mean) / deviation)
        # The same parts under the same names, behind the detector's own normalisation.
        found = heads(getattr(ours, "model", ours), ours.normalisation(images))
    torch.testing.assert_close(found, expected)


def test_of_an_older_file_too_it_is_said_what_does_not_fit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    own = create("faster-rcnn-resnet18-fpn", CLASSES, (SIZE, SIZE)).state_dict()
    file = {published_name(name): tensor for name, tensor in own.items()}
    del file["backbone.fpn.inner_blocks.0.weight"]
    save_file(file, tmp_path / "cut.safetensors")
    with pytest.raises(BadData, match=r"'backbone\.fpn\.inner_blocks\.0\.0\.weight' is missing"):
        from_file(
            create("faster-rcnn-resnet18-fpn", CLASSES, (SIZE, SIZE)), tmp_path / "cut.safetensors", complete=True
        )

"""Detectors as after a training: batch norm has seen images, and the heads find something."""

from collections.abc import Callable

import pytest
import torch

from fgfi_core.detectors import Detector, create, num_anchor_shapes

Trained = Callable[[str], Detector]


@pytest.fixture
def trained() -> Trained:
    """Builds the detector of a name with 3 classes at 160x128, in eval mode; the same at each call."""

    def build(name: str) -> Detector:
        torch.manual_seed(0)
        shapes = [(20, 20), (48, 32), (32, 60), (90, 80)] if num_anchor_shapes(name) else None
        detector = create(name, 3, (160, 128), anchor_shapes=shapes).train()
        with torch.no_grad():
            for _ in range(4):
                detector.features(torch.rand(4, 3, 128, 160))
            for module in detector.modules():
                if isinstance(module, torch.nn.Conv2d) and module.bias is not None:
                    torch.nn.init.normal_(module.weight, std=0.05)
                    torch.nn.init.normal_(module.bias, std=0.5)
        return detector.eval()

    return build


@pytest.fixture
def images() -> torch.Tensor:
    """[4, 3, 128, 160], each with its own brightness and blotches."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(4, 3, 8, 10, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(128, 160), mode="bilinear", align_corners=False)

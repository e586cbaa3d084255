"""ONNX files of detectors with several maps against the detectors in torch."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fgfi_core.detectors import Detections, Detector, create
from fgfi_core.export.measure import parity
from fgfi_core.export.onnx import write
from fgfi_core.export.session import Session

LAST_OF_CLASSES = ("cls_logits", ".1")
SIZE = (150, 110)  # No stride divides it.


def settled(name: str) -> Detector:
    """In eval mode, with batch norms that have seen images and class logits that differ from place to place."""
    torch.manual_seed(0)
    detector = create(name, 3, SIZE).train()
    images = torch.rand(2, 3, SIZE[1], SIZE[0])
    with torch.no_grad():
        for _ in range(8):
            detector.features(images)
        deviation = detector.eval().class_logits(detector.heads(detector.features(images))).std()
        for part, module in detector.named_modules():
            if part.endswith(LAST_OF_CLASSES) and "classification_head" in part and isinstance(module, nn.Conv2d):
                module.weight.mul_(2 / deviation)
    return detector


@pytest.mark.parametrize("name", ["ssdlite320-mobilenet-v3", "retinanet-resnet18-fpn", "fcos-resnet18-fpn"])
def test_onnxruntime_finds_what_torch_finds_in_any_batch(name: str, tmp_path: Path) -> None:
    detector = settled(name)
    session = Session(write(detector, ("car", "pedestrian", "cyclist"), tmp_path / "student.onnx"))
    coarse = torch.rand(3, 3, 6, 8, generator=torch.Generator().manual_seed(1))
    images = nn.functional.interpolate(coarse, size=(SIZE[1], SIZE[0]), mode="bilinear", align_corners=False)

    def exported(batch: Tensor) -> list[Detections]:
        return [Detections(*(torch.from_numpy(part) for part in found)) for found in session.detect(batch.numpy())]

    with torch.no_grad():
        compared = parity(detector.detect, exported, images)
    assert compared.detections > 30
    assert compared.alone == 0
    assert compared.max_box_difference < 1e-3
    together, alone = exported(images), [exported(image[None])[0] for image in images]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one.boxes, other.boxes, rtol=1e-4, atol=1e-3)

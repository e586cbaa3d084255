"""student.onnx of two stages: proposals, pooling and suppression are in the file, for any batch."""

import pytest
import torch
from torch import Tensor

from fgfi_core.detectors import Detections, Target, create, num_anchor_shapes
from fgfi_core.detectors.faster_rcnn import FasterRCNN
from fgfi_core.export.measure import DetectFn, Parity, parity
from fgfi_core.export.onnx import write
from fgfi_core.export.session import Session

CLASSES = ("car", "pedestrian", "cyclist")
C4, FPN, MOBILE = "faster-rcnn-resnet101-half", "faster-rcnn-resnet50-half-fpn", "faster-rcnn-mobilenet-v3-320-fpn"
SHAPES = [(20, 20), (48, 32), (32, 60), (90, 80)]
SIZE = (160, 128)


def settled(name: str) -> FasterRCNN:
    """In eval mode, with batch norms that have seen images, and class logits that differ from region to region."""
    torch.manual_seed(0)
    detector = create(name, 3, SIZE, anchor_shapes=SHAPES if num_anchor_shapes(name) else None).train()
    assert isinstance(detector, FasterRCNN)
    images = torch.rand(4, 3, *SIZE[::-1])
    target = Target(torch.tensor([[20.0, 20, 90, 80]]), torch.tensor([1]))
    with torch.no_grad():
        for _ in range(4):
            detector.heads(detector.features(images), [target] * 4)
        torch.nn.init.normal_(detector.get_parameter("roi_heads.box_predictor.cls_score.weight"), std=0.1)
    return detector.eval()


@pytest.fixture(scope="module", params=[C4, FPN, MOBILE])
def detector(request: pytest.FixtureRequest) -> FasterRCNN:
    return settled(request.param)


@pytest.fixture(scope="module")
def session(detector: FasterRCNN, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return Session(write(detector, CLASSES, tmp_path_factory.mktemp(detector.name) / "student.onnx"))


def running(session: Session) -> DetectFn:
    return lambda images: [
        Detections(*(torch.from_numpy(part) for part in found)) for found in session.detect(images.numpy())
    ]


def assert_same(compared: Parity, detector: FasterRCNN) -> None:
    assert compared.detections > 100
    assert compared.alone == 0
    assert compared.max_score_difference < 1e-4
    # Regions below a cell of stride 32 look all the same in a corner, and which of equals is kept is open.
    assert detector.name == MOBILE or compared.max_box_difference < 1e-2


def test_onnxruntime_finds_what_torch_finds(detector: FasterRCNN, session: Session, images: Tensor) -> None:
    with torch.no_grad():
        assert_same(parity(detector.detect, running(session), images), detector)


@pytest.mark.parametrize("count", [2, 4])
def test_a_batch_equals_single_images(detector: FasterRCNN, session: Session, images: Tensor, count: int) -> None:
    together = iter(running(session)(images[:count]))
    assert_same(parity(running(session), lambda _: [next(together)], images[:count]), detector)

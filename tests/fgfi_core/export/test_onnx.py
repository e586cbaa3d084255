"""student.onnx in onnxruntime against the detector in torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from fgfi_core.detectors import Detections, Detector
from fgfi_core.errors import BadData
from fgfi_core.export.measure import DetectFn, parity
from fgfi_core.export.onnx import write
from fgfi_core.export.session import Session
from fgfi_core.spec import DETECTORS

CLASSES = ("car", "pedestrian", "cyclist")
# Those of torchvision's parts are in test_one_stage.py and test_two_stage.py: the heads that this folder's `trained`
# draws at random send their boxes out of the image, where all are alike.
OURS = [info for info in DETECTORS.values() if info.anchor_shapes and info.classification == "anchors-softmax"]
SMALLEST = {info.family: info.name for info in sorted(OURS, key=lambda info: -info.parameters)}


@pytest.fixture(params=list(SMALLEST.values()), ids=list(SMALLEST))
def detector(request: pytest.FixtureRequest, trained: Callable[[str], Detector]) -> Detector:
    return trained(request.param)


@pytest.fixture
def session(detector: Detector, tmp_path: Path) -> Session:
    return Session(write(detector, CLASSES, tmp_path / "student.onnx"))


def running(session: Session) -> DetectFn:
    return lambda images: [
        Detections(*(torch.from_numpy(part) for part in found)) for found in session.detect(images.numpy())
    ]


def test_onnxruntime_finds_what_torch_finds(detector: Detector, session: Session, images: Tensor) -> None:
    with torch.no_grad():
        compared = parity(detector.detect, running(session), images)
    assert compared.detections > 80
    assert compared.alone == 0
    assert compared.max_box_difference < 1e-3
    assert compared.max_score_difference < 1e-5


def test_detections_come_best_first(session: Session, images: Tensor) -> None:
    for found in session.detect(images.numpy()):
        assert bool((np.diff(found.scores) <= 0).all())


def test_a_batch_of_two_equals_two_single_images(session: Session, images: Tensor) -> None:
    together = iter(running(session)(images[:2]))
    compared = parity(running(session), lambda _: [next(together)], images[:2])
    assert compared.detections > 40
    assert compared.alone == 0
    assert compared.max_box_difference < 1e-3


def test_an_image_without_detections_gives_empty_arrays(
    trained: Callable[[str], Detector], images: Tensor, tmp_path: Path
) -> None:
    detector = trained("ssd-shufflenetv2-0.25x")
    with torch.no_grad():
        bias = detector.get_parameter("class_head.bias")
        bias.zero_()
        bias[:: detector.num_classes + 1] = 50.0  # background
    (found,) = Session(write(detector, CLASSES, tmp_path / "student.onnx")).detect(images[:1].numpy())
    assert (found.boxes.shape, found.scores.shape, found.labels.shape) == ((0, 4), (0,), (0,))


def test_the_file_says_its_classes_and_image_size(session: Session) -> None:
    assert session.classes == CLASSES
    assert session.image_size == (160, 128)


def test_the_file_holds_no_more_numbers_than_the_student_and_its_anchors(
    detector: Detector, session: Session, tmp_path: Path
) -> None:
    assert session.classes
    model = onnx.load(tmp_path / "student.onnx")
    stored = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    student = sum(tensor.numel() for tensor in detector.state_dict().values())
    anchors = sum(level.numel() for level in detector.anchors())
    assert stored <= student + 2 * anchors


def test_exporting_leaves_the_detector_as_it_was(trained: Callable[[str], Detector], tmp_path: Path) -> None:
    detector = trained("ssd-shufflenetv2-0.25x").train()
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    write(detector, CLASSES, tmp_path / "student.onnx")
    assert all(module.training for module in detector.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in detector.state_dict().items())


def test_a_damaged_file_is_named(trained: Callable[[str], Detector], tmp_path: Path) -> None:
    path = write(trained("ssd-shufflenetv2-0.25x"), CLASSES, tmp_path / "student.onnx")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadData, match=r"student\.onnx"):
        Session(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"nowhere\.onnx"):
        Session(tmp_path / "nowhere.onnx")


def test_another_onnx_model_is_no_student(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    copy = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "other", [value], [copy]),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(BadData, match="not an exported student"):
        Session(tmp_path / "other.onnx")

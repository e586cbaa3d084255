"""What holds for each detector alike; the smallest of each family stands for its family."""

import itertools
import math
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import box_iou

from fgfi_core.detectors import Detector, Target, create, num_anchor_shapes

SIZE = (96, 64)
SHAPES = [(12.0, 12.0), (30.0, 24.0), (20.0, 44.0)]
NOTHING = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
PICTURES = (
    Target(torch.tensor([[8.0, 8, 40, 32], [56, 20, 76, 60]]), torch.tensor([0, 2])),
    Target(torch.tensor([[20.0, 30, 34, 44]]), torch.tensor([1])),
)
COLOURS = torch.tensor([[1.0, 0.2, 0.2], [0.2, 1.0, 0.2], [0.2, 0.2, 1.0]])


# Those whose boxes are offsets from their anchors, and the others.
OFFSETS = [
    "ssd-shufflenetv2-0.25x",
    "shuffledet-0.25x",
    "ssd-efficientnet-lite0",
    "ssdlite320-mobilenet-v3",
    "retinanet-resnet18-fpn",
]
FAMILIES = [*OFFSETS, "fcos-resnet18-fpn"]
# Their outputs are per proposal and learnt from sampled regions; what stands for the other tests: test_faster_rcnn.py.
TWO_STAGES = ["faster-rcnn-resnet101-half", "faster-rcnn-resnet50-half-fpn"]
with_two_stages = pytest.mark.parametrize("detector", [*FAMILIES, *TWO_STAGES], indirect=True)
# How often the two pictures are in a batch to learn from; on maps of one cell, batch norm needs more values than two.
COPIES = {"ssdlite320-mobilenet-v3": 2}


def fresh(name: str) -> Detector:
    torch.manual_seed(0)
    return create(name, 3, SIZE, anchor_shapes=SHAPES if num_anchor_shapes(name) else None)


@pytest.fixture(params=FAMILIES)
def detector(request: pytest.FixtureRequest) -> Detector:
    return fresh(request.param)


def draw(targets: tuple[Target, ...]) -> Tensor:
    """Rectangles in their class's colour on grey noise."""
    images = 0.5 + 0.1 * torch.rand((len(targets), 3, SIZE[1], SIZE[0]), generator=torch.Generator().manual_seed(0))
    for image, target in zip(images, targets, strict=True):
        for box, label in zip(target.boxes.int().tolist(), target.labels, strict=True):
            image[:, box[1] : box[3], box[0] : box[2]] = COLOURS[label, :, None, None]
    return images


def total_loss(detector: Detector, images: Tensor, targets: tuple[Target, ...], without: str = "") -> Tensor:
    losses = detector.losses(detector.heads(detector.features(images), targets), targets)
    return torch.stack([loss for term, loss in losses.items() if term != without]).sum()


def settle_norms(detector: Detector, pictures: tuple[Target, ...] = PICTURES) -> None:
    """Give batch norm statistics of its own, without which a fresh network's outputs say nothing."""
    with torch.no_grad():
        for _ in range(30):
            detector.train().features(draw(pictures))
    detector.eval()


def test_outputs_have_one_row_for_each_anchor(detector: Detector) -> None:
    boxes, scores = detector.eval().decode(detector.heads(detector.features(draw(PICTURES))))
    anchors = sum(math.prod(level.shape[:3]) for level in detector.anchors())
    assert boxes.shape == (2, anchors, 4)
    assert scores.shape == (2, anchors, 3)


@with_two_stages
def test_a_side_that_the_strides_do_not_divide_works(detector: Detector) -> None:
    odd = create(detector.name, 2, (101, 75)).eval()
    cells = [(math.ceil(75 / stride), math.ceil(101 / stride)) for stride in odd.info.strides]
    assert [level.shape[2:] for level in odd.features(torch.rand(1, 3, 75, 101))] == cells
    assert [level.shape[:2] for level in odd.anchors()] == cells


@with_two_stages
def test_images_of_another_size_are_refused(detector: Detector) -> None:
    with pytest.raises(RuntimeError):
        detector.heads(detector.features(torch.rand(2, 3, 128, 96)))


def test_two_images_together_give_what_they_give_alone(detector: Detector) -> None:
    settle_norms(detector)
    images = draw(PICTURES)
    with torch.no_grad():
        together = detector.decode(detector.heads(detector.features(images)))
        alone = [detector.decode(detector.heads(detector.features(image[None]))) for image in images]
    for i, output in enumerate(together):
        torch.testing.assert_close(output, torch.cat([a[i] for a in alone]), rtol=1e-4, atol=1e-4)


@with_two_stages
def test_images_without_objects_give_finite_losses_and_gradients(detector: Detector) -> None:
    torch.autograd.backward(total_loss(detector, draw((NOTHING, NOTHING)), (NOTHING, NOTHING)))
    gradients = [p.grad for p in detector.parameters() if p.grad is not None]
    assert gradients
    assert all(g.isfinite().all() for g in gradients)


@pytest.mark.parametrize("name", FAMILIES)
def test_two_pictures_are_learnt_by_heart_and_their_objects_found(name: str) -> None:
    pictures = PICTURES * COPIES.get(name, 1)
    detector, images = fresh(name), draw(pictures)
    optimizer = torch.optim.Adam(detector.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=100)
    # FCOS's centerness is a cross-entropy with soft targets, which no learning brings near zero.
    first = total_loss(detector, images, pictures, without="centerness").item()
    for _ in range(100):
        optimizer.zero_grad()
        torch.autograd.backward(total_loss(detector, images, pictures))
        nn.utils.clip_grad_norm_(detector.parameters(), 1.0)
        optimizer.step()
        schedule.step()

    settle_norms(detector, pictures)
    with torch.no_grad():
        assert total_loss(detector, images, pictures, without="centerness") < first / 5
        for target, found in zip(pictures, detector.detect(images), strict=True):
            best = slice(len(target.labels))
            assert sorted(found.labels[best].tolist()) == sorted(target.labels.tolist())
            assert (box_iou(target.boxes, found.boxes[best]).max(dim=1).values > 0.5).all()


@pytest.mark.parametrize("detector", OFFSETS, indirect=True)
def test_outputs_of_zero_decode_to_the_anchors(detector: Detector) -> None:
    anchors = torch.cat([level.flatten(0, 2) for level in detector.anchors()])
    boxes, _ = detector.decode({key: torch.zeros_like(value) for key, value in fresh_outputs(detector).items()})
    torch.testing.assert_close(boxes[0, :, 0], anchors[:, 0].clamp(0, SIZE[0]))
    torch.testing.assert_close(boxes[0, :, 3], anchors[:, 3].clamp(0, SIZE[1]))


def fresh_outputs(detector: Detector) -> dict[str, Tensor]:
    with torch.no_grad():
        return dict(detector.eval().heads(detector.features(draw(PICTURES))))


def test_decoded_boxes_lie_in_the_image_and_scores_in_zero_to_one(detector: Detector) -> None:
    outputs = {key: value + 20 * torch.randn_like(value) for key, value in fresh_outputs(detector).items()}
    boxes, scores = detector.decode(outputs)
    assert boxes.min() >= 0
    assert (boxes[..., 0::2] <= SIZE[0]).all()
    assert (boxes[..., 1::2] <= SIZE[1]).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


@with_two_stages
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_bfloat16_step_gives_float32_losses_and_gradients(
    detector: Detector, memory_format: torch.memory_format
) -> None:
    detector.train().to(memory_format=memory_format)
    images = draw(PICTURES).contiguous(memory_format=memory_format)
    with torch.autocast("cpu", torch.bfloat16):
        loss = total_loss(detector, images, PICTURES)
    torch.autograd.backward(loss)
    assert loss.dtype == torch.float32
    assert all(p.grad is not None and p.grad.isfinite().all() for p in detector.parameters())


# Not the 101 random layers, which make 4e-4 of rounding.
@pytest.mark.parametrize("detector", [*FAMILIES, TWO_STAGES[1]], indirect=True)
def test_the_memory_format_does_not_change_the_answer(detector: Detector) -> None:
    settle_norms(detector)
    images = draw(PICTURES)
    with torch.no_grad():
        plain = detector.features(images)
        last = detector.to(memory_format=torch.channels_last).features(
            images.contiguous(memory_format=torch.channels_last)
        )
    torch.testing.assert_close(plain, last, rtol=1e-4, atol=1e-4)


@with_two_stages
def test_weight_decay_names_parameters_and_no_norm_or_bias(detector: Detector) -> None:
    parameters = dict(detector.named_parameters())
    decayed = detector.weight_decay_parameters()
    assert decayed
    assert all(parameters[name].ndim > 1 for name in decayed)


@with_two_stages
def test_name_classes_size_and_shapes_build_the_same_detector_again(detector: Detector) -> None:
    again = create(detector.name, detector.num_classes, detector.image_size, anchor_shapes=detector.anchor_shapes)
    again.load_state_dict(detector.state_dict())
    for ours, theirs in itertools.chain(
        zip(detector.anchors(), again.anchors(), strict=True),
        zip(fresh_outputs(detector).values(), fresh_outputs(again).values(), strict=True),
    ):
        torch.testing.assert_close(ours, theirs)


class Export(nn.Module):
    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.detector.decode(self.detector.heads(self.detector.features(images)))


def test_an_onnx_graph_takes_any_batch_and_gives_the_same(detector: Detector, tmp_path: Path) -> None:
    settle_norms(detector)
    network, images, file = Export(detector).eval(), draw(PICTURES), tmp_path / "detector.onnx"
    with warnings.catch_warnings():
        # The exporter warns of its own successor; a trace that depends on its example would be a TracerWarning.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", category=UserWarning, message="Constant folding")
        warnings.filterwarnings("ignore", category=FutureWarning)
        torch.onnx.export(
            network,
            (images[:1],),
            file,
            dynamo=False,
            opset_version=17,
            input_names=["images"],
            output_names=["boxes", "scores"],
            dynamic_axes={"images": {0: "batch"}, "boxes": {0: "batch"}, "scores": {0: "batch"}},
        )
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    found = session.run(None, {"images": images.numpy()})
    with torch.no_grad():
        expected = network(images)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-3, atol=1e-3)

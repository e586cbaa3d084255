from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from fgfi_core import data
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import EvalLoader
from fgfi_core.detectors.detector import Detections, Detector, Target
from fgfi_core.evaluation.detections import detect_all, to_original

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder


class MeanColour(Detector):
    """Detects one box in every image, with the image's mean as its score."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.num_classes, self.image_size = "mean-colour", 1, (32, 32)
        self.one = nn.Parameter(torch.ones(1))

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        assert not self.training
        return (images.mean(dim=(1, 2, 3), keepdim=True) * self.one,)

    def heads(self, maps: Sequence[Tensor], targets: Sequence[Target] | None = None) -> Mapping[str, Tensor]:
        assert targets is None
        return {"score": maps[0]}

    def losses(self, outputs: Mapping[str, Tensor], targets: Sequence[Target]) -> dict[str, Tensor]:
        raise NotImplementedError

    def decode(self, outputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        score = outputs["score"].flatten(1)
        return torch.tensor([8.0, 0, 16, 32]).expand(len(score), 1, 4), score[:, None]

    def anchors(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def select(self, boxes: Tensor, scores: Tensor) -> Detections:
        return Detections(boxes, scores[:, 0], torch.zeros(len(boxes), dtype=torch.int64))

    def class_logits(self, outputs: Mapping[str, Tensor]) -> Tensor:
        raise NotImplementedError

    def weight_decay_parameters(self) -> set[str]:
        return set()


def test_boxes_return_to_the_original_images_pixels(voc: "VocFolder") -> None:
    voc.add("wide", size=(100, 80))
    example = data.read(voc.root).splits["train"][0]
    found = Detections(torch.tensor([[8.0, 0, 16, 32]]), torch.tensor([0.5]), torch.tensor([0]))
    assert to_original(found, Frame((32, 32)), example).boxes.tolist() == [[25, 0, 50, 80]]


def test_every_image_of_a_split_is_detected_in_order_and_the_mode_returns(voc: "VocFolder") -> None:
    for i in range(5):
        voc.add(f"image{i}")
    examples = data.read(voc.root).splits["train"]
    detector = MeanColour().train()
    seen: list[tuple[int, int]] = []
    found = detect_all(detector, EvalLoader(examples, Frame((32, 32)), 2), on_batch=lambda *n: seen.append(n))
    alone = [detect_all(detector, EvalLoader([example], Frame((32, 32)), 1))[0] for example in examples]
    np.testing.assert_allclose([one.scores for one in found], [one.scores for one in alone], rtol=1e-6)
    assert len({float(one.scores[0]) for one in found}) == 5
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert detector.training

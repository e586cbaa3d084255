"""Run a detector over a split and carry what it found back to the original images' pixels."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import EvalLoader
from fgfi_core.detectors.detector import Detections, Detector
from fgfi_core.evaluation.found import NOTHING, ImageDetections

__all__ = ["NOTHING", "ImageDetections", "detect_all", "to_original"]


def to_original(found: Detections, frame: Frame, example: Example) -> ImageDetections:
    """Map detections in the network's input to the original image's pixels."""
    return ImageDetections(
        boxes=frame.to_image(found.boxes.float().cpu().numpy(), (example.width, example.height)),
        scores=found.scores.float().cpu().numpy(),
        labels=found.labels.cpu().numpy().astype(np.int64),
    )


def detect_all(
    detector: Detector,
    loader: EvalLoader,
    *,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
    on_batch: Callable[[int, int], None] | None = None,
) -> list[ImageDetections]:
    """Detections of every example of the loader, in its order, on whatever device the detector is.

    The detector is put in eval mode and given back as it was. autocast: for instance bfloat16 on a GPU, entered for
    each batch. on_batch: called with (images done, images in all).
    """
    was_training = detector.training
    detector.eval()
    try:
        return list(_detect(detector, loader, autocast, on_batch))
    finally:
        detector.train(was_training)


def _detect(
    detector: Detector,
    loader: EvalLoader,
    autocast: Callable[[], AbstractContextManager[object]],
    on_batch: Callable[[int, int], None] | None,
) -> Iterator[ImageDetections]:
    device = next(detector.parameters()).device
    done = 0
    for images, examples in loader:
        with torch.inference_mode(), autocast():
            found = detector.detect(images.to(device, non_blocking=True))
        for one, example in zip(found, examples, strict=True):
            yield to_original(one, loader.frame, example)
        done += len(examples)
        if on_batch is not None:
            on_batch(done, len(loader.examples))

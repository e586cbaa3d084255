"""Torch's errors of a training step in the words of the person who wrote the spec."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fgfi_core.detectors.detector import Detector
from fgfi_core.errors import BadSpec, OutOfMemory
from fgfi_core.spec import Schedule

ONE_VALUE = "Expected more than 1 value per channel"  # torch's words; it has no type for this


@contextmanager
def explained(detector: Detector, schedule: Schedule, images: int) -> Iterator[None]:
    """Steps of `detector` inside; images: in one of its forward passes.

    Raises OutOfMemory when the device is too small for the batch, BadSpec for a batch too small for the norms.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise OutOfMemory(
            f"the device ran out of memory with {images} images at once (batch_size {schedule.batch_size}).",
            hint="Set a smaller schedule.micro_batch, schedule.batch_size or schedule.image_size.",
        ) from error
    except ValueError as error:
        if ONE_VALUE not in str(error):
            raise
        raise BadSpec(
            f"'{detector.name}' has a map of one cell at {detector.image_size}, whose batch norm learns "
            f"nothing from {images} images at once.",
            hint="Set schedule.batch_size to 2 or more, schedule.micro_batch likewise, or a larger image_size.",
        ) from error

"""The catalogue of detectors: names and sizes, known without loading torch.

The API and the command line list and validate detectors from this table; a test builds every detector and holds its
real parameter count, stride and map width against it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorInfo:
    """What is known of a detector before it is built.

    parameters: trainable parameters with 3 classes, batch-norm scale and shift included, running statistics not.
    multiply_adds: of the backbone at `reference_size`, in units, without the head.
    reference_size: (width, height) in pixels.
    strides, channels: of each imitated map, finest first.
    """

    name: str
    family: str
    parameters: int
    multiply_adds: int
    reference_size: tuple[int, int]
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    description: str


DETECTORS: dict[str, DetectorInfo] = {}

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


_SSD = "ssd-shufflenetv2"
_SHUFFLEDET = "shuffledet"

DETECTORS: dict[str, DetectorInfo] = {
    info.name: info
    for info in (
        DetectorInfo(
            name="ssd-shufflenetv2-1x",
            family=_SSD,
            parameters=425_476,
            multiply_adds=135_370_800,
            reference_size=(320, 240),
            strides=(16,),
            channels=(232,),
            description="SSD with one map at stride 16 on ShuffleNetV2 1x; a teacher that trains on a CPU in minutes.",
        ),
        DetectorInfo(
            name="ssd-shufflenetv2-0.5x",
            family=_SSD,
            parameters=115_464,
            multiply_adds=37_022_400,
            reference_size=(320, 240),
            strides=(16,),
            channels=(96,),
            description="The same on ShuffleNetV2 0.5x: about a quarter of the work.",
        ),
        DetectorInfo(
            name="ssd-shufflenetv2-0.25x",
            family=_SSD,
            parameters=47_448,
            multiply_adds=20_196_000,
            reference_size=(320, 240),
            strides=(16,),
            channels=(48,),
            description="The same with a quarter of the channels: a ninth of the parameters, a seventh of the work.",
        ),
        DetectorInfo(
            name="shuffledet-1x",
            family=_SHUFFLEDET,
            parameters=1_602_312,
            multiply_adds=5_237_616_384,
            reference_size=(1248, 384),
            strides=(16,),
            channels=(768,),
            description="The paper's toy detector for KITTI, full width: its teacher.",
        ),
        DetectorInfo(
            name="shuffledet-0.5x",
            family=_SHUFFLEDET,
            parameters=535_656,
            multiply_adds=1_587_980_160,
            reference_size=(1248, 384),
            strides=(16,),
            channels=(384,),
            description="The toy detector with half the channels.",
        ),
        DetectorInfo(
            name="shuffledet-0.25x",
            family=_SHUFFLEDET,
            parameters=202_776,
            multiply_adds=666_753_984,
            reference_size=(1248, 384),
            strides=(16,),
            channels=(192,),
            description="The toy detector with a quarter of the channels.",
        ),
    )
}

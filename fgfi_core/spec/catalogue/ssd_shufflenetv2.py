"""The light single-shot family."""

from fgfi_core.spec.catalogue.info import DetectorInfo

FAMILY = "ssd-shufflenetv2"

ENTRIES = (
    DetectorInfo(
        name="ssd-shufflenetv2-1x",
        family=FAMILY,
        parameters=425_476,
        multiply_adds=135_370_800,
        reference_size=(320, 240),
        strides=(16,),
        channels=(232,),
        anchor_shapes=9,
        classification="anchors-softmax",
        description="SSD with one map at stride 16 on ShuffleNetV2 1x; a teacher that trains on a CPU in minutes.",
    ),
    DetectorInfo(
        name="ssd-shufflenetv2-0.5x",
        family=FAMILY,
        parameters=115_464,
        multiply_adds=37_022_400,
        reference_size=(320, 240),
        strides=(16,),
        channels=(96,),
        anchor_shapes=9,
        classification="anchors-softmax",
        description="The same on ShuffleNetV2 0.5x: about a quarter of the work.",
    ),
    DetectorInfo(
        name="ssd-shufflenetv2-0.25x",
        family=FAMILY,
        parameters=47_448,
        multiply_adds=20_196_000,
        reference_size=(320, 240),
        strides=(16,),
        channels=(48,),
        anchor_shapes=9,
        classification="anchors-softmax",
        description="The same with a quarter of the channels: a ninth of the parameters, a seventh of the work.",
    ),
)

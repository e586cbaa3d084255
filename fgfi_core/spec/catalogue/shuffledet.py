"""The paper's toy family."""

from fgfi_core.spec.catalogue.info import DetectorInfo

FAMILY = "shuffledet"

ENTRIES = (
    DetectorInfo(
        name="shuffledet-1x",
        family=FAMILY,
        parameters=1_602_312,
        multiply_adds=5_237_616_384,
        reference_size=(1248, 384),
        strides=(16,),
        channels=(768,),
        anchor_shapes=9,
        classification="anchors-softmax",
        description="The paper's toy detector for KITTI, full width: its teacher.",
    ),
    DetectorInfo(
        name="shuffledet-0.5x",
        family=FAMILY,
        parameters=535_656,
        multiply_adds=1_587_980_160,
        reference_size=(1248, 384),
        strides=(16,),
        channels=(384,),
        anchor_shapes=9,
        classification="anchors-softmax",
        description="The toy detector with half the channels.",
    ),
    DetectorInfo(
        name="shuffledet-0.25x",
        family=FAMILY,
        parameters=202_776,
        multiply_adds=666_753_984,
        reference_size=(1248, 384),
        strides=(16,),
        channels=(192,),
        anchor_shapes=9,
        classification="anchors-softmax",
        description="The toy detector with a quarter of the channels.",
    ),
)

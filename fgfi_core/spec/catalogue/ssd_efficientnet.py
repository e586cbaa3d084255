"""The light single-shot detector on a trunk with ImageNet weights."""

from fgfi_core.spec.catalogue.info import DetectorInfo

FAMILY = "ssd-efficientnet-lite0"

ENTRIES = (
    DetectorInfo(
        name="ssd-efficientnet-lite0",
        family=FAMILY,
        parameters=773_640,
        multiply_adds=372_350_400,
        reference_size=(320, 240),
        strides=(16,),
        channels=(112,),
        anchor_shapes=9,
        classification="anchors-softmax",
        description="SSD with one map at stride 16 on EfficientNet-Lite0: a light teacher that knows ImageNet.",
        imagenet="efficientnet-lite0-57934424",
        weights_licence="Apache-2.0",
    ),
)

"""RetinaNet with a feature pyramid."""

from fgfi_core.spec.catalogue.info import DetectorInfo

FAMILY = "retinanet"

ENTRIES = (
    DetectorInfo(
        name="retinanet-resnet50-fpn",
        family=FAMILY,
        parameters=32_242_559,
        multiply_adds=39_860_633_600,
        reference_size=(640, 640),
        strides=(8, 16, 32, 64, 128),
        channels=(256, 256, 256, 256, 256),
        anchor_shapes=0,
        classification="anchors-sigmoid",
        description="RetinaNet on ResNet-50 with maps P3 to P7: a strong one-stage teacher for a GPU.",
        imagenet="ResNet50_Weights.IMAGENET1K_V1",
        weights_licence="BSD-3-Clause",
    ),
    DetectorInfo(
        name="retinanet-resnet18-fpn",
        family=FAMILY,
        parameters=19_222_911,
        multiply_adds=20_199_833_600,
        reference_size=(640, 640),
        strides=(8, 16, 32, 64, 128),
        channels=(256, 256, 256, 256, 256),
        anchor_shapes=0,
        classification="anchors-sigmoid",
        description="The same on ResNet-18: half of the backbone's work.",
        imagenet="ResNet18_Weights.IMAGENET1K_V1",
        weights_licence="BSD-3-Clause",
    ),
)

"""SSDLite, the usual light detector on six maps."""

from fgfi_core.spec.catalogue.info import DetectorInfo

FAMILY = "ssdlite"

ENTRIES = (
    DetectorInfo(
        name="ssdlite320-mobilenet-v3",
        family=FAMILY,
        parameters=3_742_160,
        multiply_adds=465_690_176,
        reference_size=(320, 320),
        strides=(16, 32, 64, 128, 256, 512),
        channels=(672, 960, 512, 256, 256, 128),
        anchor_shapes=0,
        classification="anchors-softmax",
        description="SSDLite on MobileNetV3 large with six maps, for phones and small boards.",
        imagenet="MobileNet_V3_Large_Weights.IMAGENET1K_V1",
        weights_licence="BSD-3-Clause",
    ),
    DetectorInfo(
        name="ssdlite320-mobilenet-v3-half-tail",
        family=FAMILY,
        parameters=2_234_240,
        multiply_adds=387_334_976,
        reference_size=(320, 320),
        strides=(16, 32, 64, 128, 256, 512),
        channels=(672, 480, 512, 256, 256, 128),
        anchor_shapes=0,
        classification="anchors-softmax",
        description="SSDLite as torchvision trained it on COCO: for its published weights, from a file.",
    ),
)

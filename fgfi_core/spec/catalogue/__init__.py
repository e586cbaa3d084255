"""The catalogue of detectors: names and sizes, known without loading torch.

The API and the command line list and validate detectors from this table; a test builds every detector and holds its
real parameter count, strides and widths against it.
"""

from fgfi_core.spec.catalogue import (
    faster_rcnn,
    fcos,
    retinanet,
    shuffledet,
    ssd_efficientnet,
    ssd_shufflenetv2,
    ssdlite,
)
from fgfi_core.spec.catalogue.info import DetectorInfo

__all__ = ["DETECTORS", "DetectorInfo"]

DETECTORS: dict[str, DetectorInfo] = {
    info.name: info
    for info in (
        *ssd_shufflenetv2.ENTRIES,
        *shuffledet.ENTRIES,
        *retinanet.ENTRIES,
        *fcos.ENTRIES,
        *ssdlite.ENTRIES,
        *ssd_efficientnet.ENTRIES,
        *faster_rcnn.ENTRIES,
    )
}

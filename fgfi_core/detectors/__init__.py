"""Detectors: their maps, heads, losses and decoding, behind one interface."""

from fgfi_core.detectors.anchors import num_anchor_shapes
from fgfi_core.detectors.detector import Detector, Target
from fgfi_core.detectors.registry import create
from fgfi_core.detectors.selection import Detections, Selection

__all__ = ["Detections", "Detector", "Selection", "Target", "create", "num_anchor_shapes"]

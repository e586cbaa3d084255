"""Fine-grained feature imitation: where to imitate, how to compare there, and with what weight."""

from fgfi_core.imitation.adapter import Adapter
from fgfi_core.imitation.losses import imitation_loss
from fgfi_core.imitation.region import RegionEstimator, estimate_region, estimate_regions
from fgfi_core.imitation.weight import GradientBalance

__all__ = [
    "Adapter",
    "GradientBalance",
    "RegionEstimator",
    "estimate_region",
    "estimate_regions",
    "imitation_loss",
]

"""Fine-grained feature imitation and its rivals: where to imitate, how to compare there, and with what weight."""

from fgfi_core.imitation.adapter import Adapter
from fgfi_core.imitation.imitation import Imitation, StudentPass
from fgfi_core.imitation.levels import match_levels
from fgfi_core.imitation.losses import imitation_loss
from fgfi_core.imitation.region import RegionEstimator, estimate_region, estimate_regions
from fgfi_core.imitation.registry import create
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.imitation.weight import GradientBalance

__all__ = [
    "Adapter",
    "FrozenTeacher",
    "GradientBalance",
    "Imitation",
    "RegionEstimator",
    "StudentPass",
    "create",
    "estimate_region",
    "estimate_regions",
    "imitation_loss",
    "match_levels",
]

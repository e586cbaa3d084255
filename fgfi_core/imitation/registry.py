"""From a method's fields to its module."""

from collections.abc import Callable, Mapping
from typing import Any

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation.cwd import ChannelWiseImitation
from fgfi_core.imitation.fgd import FocalGlobalImitation
from fgfi_core.imitation.fine_grained import FineGrainedImitation
from fgfi_core.imitation.fine_grained_soft_label import FineGrainedSoftLabelImitation
from fgfi_core.imitation.full_feature import FullFeatureImitation
from fgfi_core.imitation.gt_box import GroundTruthBoxImitation
from fgfi_core.imitation.hard_threshold import HardThresholdImitation
from fgfi_core.imitation.hint import HintImitation
from fgfi_core.imitation.imitation import Imitation
from fgfi_core.imitation.mgd import MaskedGenerativeImitation
from fgfi_core.imitation.pkd import PearsonImitation
from fgfi_core.imitation.soft_label import SoftLabelImitation
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.spec import methods

# The fields' model to the module that is made from them and a teacher. Any: each takes its own model.
IMITATIONS: Mapping[type[methods.Imitation], Callable[[Any, FrozenTeacher], Imitation]] = {
    methods.FineGrained: FineGrainedImitation,
    methods.FullFeature: FullFeatureImitation,
    methods.GroundTruthBox: GroundTruthBoxImitation,
    methods.HardThreshold: HardThresholdImitation,
    methods.SoftLabel: SoftLabelImitation,
    methods.FineGrainedSoftLabel: FineGrainedSoftLabelImitation,
    methods.Hint: HintImitation,
    methods.ChannelWise: ChannelWiseImitation,
    methods.Pearson: PearsonImitation,
    methods.FocalGlobal: FocalGlobalImitation,
    methods.MaskedGenerative: MaskedGenerativeImitation,
}


def create(method: methods.Imitation, teacher: Detector, student: Detector) -> Imitation:
    """The method between a trained teacher and a student; its parameters are drawn from torch's global generator.

    Freezes the teacher. Raises BadSpec for a pair that the method cannot serve.
    """
    return IMITATIONS[type(method)](method, FrozenTeacher(teacher, student))

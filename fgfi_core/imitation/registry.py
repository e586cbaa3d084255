"""From a method's fields to its module."""

from collections.abc import Callable, Mapping
from typing import Any

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation.fine_grained import FineGrainedImitation
from fgfi_core.imitation.imitation import Imitation
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.spec import methods

# The fields' model to the module that is made from them and a teacher. Any: each takes its own model.
IMITATIONS: Mapping[type[methods.Imitation], Callable[[Any, FrozenTeacher], Imitation]] = {
    methods.FineGrained: FineGrainedImitation,
}


def create(method: methods.Imitation, teacher: Detector, student: Detector) -> Imitation:
    """The method between a trained teacher and a student; its parameters are drawn from torch's global generator.

    Freezes the teacher. Raises BadSpec for a pair that the method cannot serve.
    """
    return IMITATIONS[type(method)](method, FrozenTeacher(teacher, student))

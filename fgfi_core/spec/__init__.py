"""What a job is: specs, detectors' catalogue, methods. Light to import: no torch, no numpy."""

from fgfi_core.spec.catalogue import DETECTORS, DetectorInfo
from fgfi_core.spec.job import (
    STAGES,
    Data,
    JobSpec,
    Stage,
    Student,
    Teacher,
)
from fgfi_core.spec.methods import METHODS, FineGrained, Imitation, Method, NoImitation
from fgfi_core.spec.schedule import Augmentation, Preflight, Resources, Schedule

__all__ = [
    "DETECTORS",
    "METHODS",
    "STAGES",
    "Augmentation",
    "Data",
    "DetectorInfo",
    "FineGrained",
    "Imitation",
    "JobSpec",
    "Method",
    "NoImitation",
    "Preflight",
    "Resources",
    "Schedule",
    "Stage",
    "Student",
    "Teacher",
]

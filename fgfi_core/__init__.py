"""The science of fine-grained feature imitation: a job from a folder to a folder. Knows no web, queue or database."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fgfi_core import data, detectors, evaluation, export, imitation, report, spec, training
    from fgfi_core.measuring import evaluate_model
    from fgfi_core.training.run import run

_ROOMS = ("data", "detectors", "evaluation", "export", "imitation", "report", "spec", "training")

__all__ = [
    "data",
    "detectors",
    "evaluate_model",
    "evaluation",
    "export",
    "imitation",
    "report",
    "run",
    "spec",
    "training",
]


def __getattr__(name: str) -> Any:
    # Loaded on demand: `fgfi_core.spec` must stay importable where torch is not installed (the API).
    if name == "run":
        return importlib.import_module("fgfi_core.training.run").run
    if name == "evaluate_model":
        return importlib.import_module("fgfi_core.measuring").evaluate_model
    if name in _ROOMS:
        return importlib.import_module(f"fgfi_core.{name}")
    raise AttributeError(f"module 'fgfi_core' has no attribute '{name}'")

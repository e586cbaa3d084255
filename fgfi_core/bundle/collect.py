"""Make the bundle of a run from what the run holds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from fgfi_core.bundle import manifest, record, surroundings, tensors
from fgfi_core.data.dataset import Dataset
from fgfi_core.detectors import Detector
from fgfi_core.results import JobResult, Role
from fgfi_core.spec import JobSpec

Side = record.Side


def collect(
    out_dir: Path,
    dataset: Dataset,
    result: JobResult,
    *,
    threads: int,
    detectors: Mapping[Side, Detector],
    files: Mapping[Side, Path],
    trained: Mapping[tuple[Role, int], Mapping[str, Tensor]],
    notes: Sequence[str] = (),
) -> record.Bundle:
    """Describe a finished job.

    out_dir: its folder, which holds what it resolved. threads: of the CPU side. detectors: one of each side, whatever
    its weights. files: weights to begin with. trained: the weights of each training.
    """
    held = json.loads((out_dir / "resolved.json").read_text(encoding="utf-8"))
    spec = JobSpec.model_validate(held["resolved"]["spec"])
    return record.Bundle(
        about=record.About(name=result.name),
        code=surroundings.code(),
        packages=surroundings.packages(),
        spec=JobSpec.model_validate(held["asked"]),
        resolved=held["resolved"],
        data=manifest.describe(dataset, manifest.used(spec)),
        weights=record.Weights(
            first=_first(spec, detectors, files),
            trained=tuple(
                record.Trained(role=role, seed=seed, sha256=tensors.sha256(weights))
                for (role, seed), weights in trained.items()
            ),
        ),
        environment=surroundings.environment(held["resolved"]["device"], threads),
        result=result,
        notes=tuple(notes),
    )


def _first(spec: JobSpec, detectors: Mapping[Side, Detector], files: Mapping[Side, Path]) -> dict[Side, record.First]:
    first: dict[Side, record.First] = {}
    inits: dict[Side, str] = {"teacher": spec.teacher.init, "student": spec.student.init}
    for side, init in inits.items():
        if init == "file":
            first[side] = record.First(source="file", name=files[side].name, sha256=manifest.sha256(files[side]))
        elif init == "imagenet":
            info = detectors[side].info
            sha256 = tensors.sha256(detectors[side].imagenet_weights())
            first[side] = record.First(
                source="imagenet", name=info.imagenet, sha256=sha256, licence=info.weights_licence
            )
    return first

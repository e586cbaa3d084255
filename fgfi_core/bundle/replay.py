"""Run a bundle's job again, decided by nothing but the bundle, and compare."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fgfi_core.bundle.record import Bundle, Environment, Side
from fgfi_core.errors import BadData
from fgfi_core.results import JobResult, Role
from fgfi_core.spec import JobSpec

# Of all packages, those whose numbers a training is made of.
DECISIVE = ("torch", "torchvision", "numpy", "pillow", "fgfi-service")
RESOLVED = "resolved.json"


@dataclass(frozen=True)
class Compared:
    """One training, then and now. map50: at IoU 0.5, fractions."""

    role: Role
    seed: int
    before: float
    after: float

    @property
    def difference(self) -> float:
        """Now minus then."""
        return self.after - self.before


def pinned(bundle: Bundle) -> JobSpec:
    """The spec as it was run, with the threads and the kind of device that it ran on."""
    spec = JobSpec.model_validate(bundle.resolved["spec"])
    device: Literal["cpu", "cuda"] = "cuda" if bundle.environment.device.startswith("cuda") else "cpu"
    resources = spec.resources.model_copy(update={"threads": bundle.environment.threads, "device": device})
    return spec.model_copy(update={"resources": resources})


def prepare(bundle: Bundle, out_dir: Path) -> None:
    """Lay what the bundle resolved into a run's folder, so that nothing is resolved anew."""
    path = out_dir / RESOLVED
    if path.exists():
        return
    spec = pinned(bundle).model_dump(mode="json")
    out_dir.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"asked": spec, "resolved": {**bundle.resolved, "spec": spec}}, indent=1), "utf-8")


def check_weights(bundle: Bundle, given: Mapping[Side, str]) -> None:
    """Raise BadData when a file to begin with is missing, or another one than then. given: its sha256, by side."""
    for side, first in bundle.weights.first.items():
        if first.source != "file":
            continue
        if side not in given:
            raise BadData(f"the {side} began with the file '{first.name}'.", hint=f"Give it: --{side}-weights FILE.")
        if given[side] != first.sha256:
            raise BadData(
                f"--{side}-weights is another file than the job's '{first.name}'.",
                hint=f"Its sha256 is {given[side]}, the job's was {first.sha256}.",
            )


def warnings(bundle: Bundle, packages: Mapping[str, str], environment: Environment) -> list[str]:
    """What is not as it was, and may move the numbers."""
    then, now = _lower(bundle.packages), _lower(packages)
    said = [
        f"{name} was {then[name]} and is {now.get(name, 'not installed')}"
        for name in DECISIVE
        if name in then and then[name] != now.get(name)
    ]
    other = sum(now.get(name) != then[name] for name in then if name not in DECISIVE)
    if other:
        said.append(f"{other} further packages have other versions")
    for field in ("python", "machine", "processor", "device"):
        before, after = getattr(bundle.environment, field), getattr(environment, field)
        if before != after:
            said.append(f"{field} was {before} and is {after}")
    return said


def compare(bundle: Bundle, result: JobResult) -> list[Compared]:
    """Each training of the bundle beside the same one of another result. Raises BadData when that lacks one."""
    after = {(training.role, training.seed): training.score.map50 for training in result.trainings}
    rows = []
    for training in bundle.result.trainings:
        key = training.role, training.seed
        if key not in after:
            raise BadData(f"the new result has no {training.role} of seed {training.seed}.")
        rows.append(Compared(*key, training.score.map50, after[key]))
    return rows


def _lower(packages: Mapping[str, str]) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in packages.items()}

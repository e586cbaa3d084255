"""What the form of a new job begins with: nothing, another job's spec, a data set, a model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from fgfi_core.spec import Data, JobSpec
from store.tables import Dataset, Job, Model


@dataclass(frozen=True)
class Source:
    """A data set or model to choose. facts: what the form needs of it, as JSON."""

    id: str
    title: str
    facts: str


def as_new(job: Job) -> dict[str, Any]:
    """Another job's spec without what is the default anyway; named as a further one."""
    try:
        spec = JobSpec.model_validate_json(json.dumps(job.spec))
    except ValidationError:  # Of an older version: shown as it was, with what is wrong about it by now.
        return {**job.spec, "name": _again(job.name)}
    kept = spec.model_dump(mode="json", exclude_defaults=True)
    kept["method"] = {"name": spec.method.name, **kept.get("method", {})}
    for side in ("teacher", "student"):
        if kept[side].get("model"):  # The model says its detector.
            kept[side] = {key: value for key, value in kept[side].items() if key not in {"detector", "init"}}
    return {**kept, "name": _again(job.name)}


def fresh(dataset: Dataset | None, teacher: str, student: str, detectors: tuple[str, str]) -> dict[str, Any]:
    """A spec to begin with: the pair of the paper's toy, the data set's own splits."""
    spec: dict[str, Any] = {
        "name": "",
        "dataset": {},
        "teacher": {"model": teacher} if teacher else {"detector": detectors[0]},
        "student": {"model": student} if student else {"detector": detectors[1]},
    }
    if dataset is not None:
        spec["name"] = dataset.name[:200]
        spec["dataset"] = {"id": dataset.id, **guessed_splits(splits(dataset))}
    return spec


def splits(dataset: Dataset) -> tuple[str, ...]:
    """Names of a data set's splits, as its check found them."""
    return tuple((dataset.report or {}).get("splits") or ())


def guessed_splits(names: Sequence[str]) -> dict[str, str]:
    """Which split trains and which measures, where the spec's own names are not there."""
    found: dict[str, str] = {}
    for role, likely in (("train", ("trainval", "train", "train2017")), ("val", ("test", "val", "val2017"))):
        usual = Data.model_fields[role].default
        chosen = next((name for name in likely if name in names and name not in found.values()), None)
        if chosen is not None and chosen != usual:
            found[role] = chosen
    return found


def dataset_source(row: Dataset) -> Source:
    """A data set to choose, with its splits and what is guessed of them."""
    names = splits(row)
    return Source(row.id, row.name, json.dumps({"splits": names, "guess": guessed_splits(names)}))


def model_source(row: Model) -> Source:
    """A model to choose, with its detector."""
    facts: Mapping[str, Any] = {"detector": row.detector}
    return Source(row.id, f"{row.name} ({row.detector}, {len(row.classes)} classes)", json.dumps(facts))


def _again(name: str) -> str:
    return f"{name[:190]}, again"

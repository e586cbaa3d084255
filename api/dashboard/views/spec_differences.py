"""In which fields the specs of several jobs differ: what one has to know before reading their numbers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What a job is called, and what was noted on it, decides nothing.
NO_CHOICES = ("name", "metadata")


@dataclass(frozen=True)
class Field:
    """One field: its dotted path, and each job's value as text; empty where the job's spec does not have it."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class SpecDifferences:
    """Fields that differ, and those that are the same for all."""

    differing: tuple[Field, ...]
    same: tuple[Field, ...]


def spec_differences(specs: Sequence[Mapping[str, Any]]) -> SpecDifferences:
    """Compare field by field, in the order of the specs."""
    flat = [dict(_flat(spec)) for spec in specs]
    paths = dict.fromkeys(path for one in flat for path in one)
    fields = [Field(path, tuple(one.get(path, "") for one in flat)) for path in paths]
    return SpecDifferences(
        tuple(field for field in fields if len(set(field.values)) > 1),
        tuple(field for field in fields if len(set(field.values)) == 1),
    )


def _flat(value: Mapping[str, Any], path: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, inner in value.items():
        if not path and name in NO_CHOICES:
            continue
        if isinstance(inner, Mapping):
            found += _flat(inner, f"{path}{name}.")
        else:
            found.append((f"{path}{name}", _text(inner)))
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(map(str, value)) or "none"
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)

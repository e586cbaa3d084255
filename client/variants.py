"""Variants of a comparison, from `--vary FIELD=VALUE,VALUE` and from a file."""

import copy
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from client.errors import EXIT_USAGE, ClientError

Variant = dict[str, Any]


def grid(varied: Sequence[str]) -> list[Variant]:
    """Every combination of the values, each as a merge patch. Raises ClientError."""
    axes = [_axis(one) for one in varied]
    return [{"changes": _merged(combination)} for combination in itertools.product(*axes)] if axes else []


def read(path: Path) -> list[Variant]:
    """A YAML or JSON list of {label, changes}, or of changes alone. Raises ClientError."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ClientError(f"there is no file {path}", exit_code=EXIT_USAGE) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClientError(f"{path} cannot be read: {error}", exit_code=EXIT_USAGE) from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        hint = "for instance: [{label: whole map, changes: {method: {name: full-feature}}}]"
        raise ClientError(f"{path} is no list of variants", hints=(hint,), exit_code=EXIT_USAGE)
    return [one if "changes" in one else {"changes": one} for one in found]


def _axis(text: str) -> list[Variant]:
    """`method.threshold=0.3,0.5` as a patch for each value; values are JSON, or else text."""
    path, equals, values = text.partition("=")
    names = path.split(".")
    if not equals or not values or not all(names):
        hint = "for instance --vary method.threshold=0.3,0.5,0.7"
        raise ClientError(f"--vary {text}: not of the form FIELD=VALUE,VALUE", hints=(hint,), exit_code=EXIT_USAGE)
    return [_nested(names, value) for value in _values(values)]


def _values(text: str) -> list[Any]:
    try:
        several = json.loads(f"[{text}]")
    except ValueError:
        return [_value(one.strip()) for one in text.split(",")]
    return list(several)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _nested(names: Sequence[str], value: Any) -> Variant:
    for name in reversed(names):
        value = {name: value}
    found: Variant = value
    return found


def _merged(patches: Sequence[Variant]) -> Variant:
    whole: Variant = {}
    for patch in patches:
        _add(whole, patch)
    return whole


def _add(whole: Variant, patch: Variant) -> None:
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(whole.get(name), dict):
            _add(whole[name], value)
        else:
            whole[name] = copy.deepcopy(value)  # The next combination has it, too.

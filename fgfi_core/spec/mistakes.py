"""Pydantic's errors in the words of the person who wrote the spec: one mistake a field, with its path and a hint."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fgfi_core.spec.job import JobSpec

Location = tuple[str | int, ...]
_SUBJECT = re.compile(r"^(Value error, |Assertion failed, |[A-Z]\w* (?=should ))")


@dataclass(frozen=True)
class Mistake:
    """What is wrong with one field. `path` is dotted, as in `teacher.detector`; empty for the body as a whole."""

    path: str
    message: str
    hint: str


def explain(errors: Iterable[Mapping[str, Any]], body: Any) -> list[Mistake]:
    """One mistake a field: pydantic names each branch of a union by itself, the reader wants the field once."""
    merged: dict[str, list[Mapping[str, Any]]] = {}
    for error in errors:
        # Where JSON breaks off is a position, not a field.
        location = () if error["type"] == "json_invalid" else _without_place(tuple(error["loc"]))
        merged.setdefault(_dotted(_in_body(location, body, error["type"])), []).append(error)
    return [
        Mistake(path, " or ".join(dict.fromkeys(_message(e) for e in found)), _hint(path, found[0]))
        for path, found in merged.items()
    ]


def _without_place(location: Location) -> Location:
    """Drop the leading `body`, `query`, `path` or `header`."""
    return location[1:] if location and location[0] in {"body", "query", "path", "header", "cookie"} else location


def _in_body(location: Location, body: Any, kind: str) -> Location:
    """Keep what can be found in the body: a union adds names of its branches that nobody wrote.

    A missing field is by nature not in the body, so its last name stays.
    """
    kept: list[str | int] = []
    value = body
    for step in location:
        found, inner = _child(value, step)
        if found:
            value = inner
        elif isinstance(body, Mapping) and not (kind == "missing" and step == location[-1]):
            continue
        kept.append(step)
    return tuple(kept)


def _child(value: Any, step: str | int) -> tuple[bool, Any]:
    if isinstance(value, Mapping) and step in value:
        return True, value[step]
    if isinstance(value, list | tuple) and isinstance(step, int) and 0 <= step < len(value):
        return True, value[step]
    return False, None


def _dotted(location: Location) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _message(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a field here"
    if kind == "json_invalid":
        return f"the body is not JSON: {context.get('error', 'it cannot be read')}"
    text: str = error["msg"]
    return _SUBJECT.sub("", text)


def _hint(path: str, error: Mapping[str, Any]) -> str:
    kind, name = error["type"], path.rpartition(".")[2]
    if kind == "extra_forbidden":
        known = _fields(tuple(path.split(".")[:-1]))
        close = difflib.get_close_matches(name, known, n=1)
        if close:
            return f"Did you mean '{close[0]}'?"
        return f"Known fields: {', '.join(known)}." if known else "Remove it."
    if kind == "missing":
        return f"Add '{name}'."
    return ""


def _fields(path: tuple[str, ...]) -> list[str]:
    """Names of the fields of the spec's model at `path`; empty where the spec has no model."""
    model: Any = JobSpec
    for step in path:
        field = model.model_fields.get(step) if hasattr(model, "model_fields") else None
        model = field.annotation if field else None
    return list(model.model_fields) if hasattr(model, "model_fields") else []

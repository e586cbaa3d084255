"""The mistakes in a request, each with what to do; where the spec has no hint, the API's own lists help."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fgfi_core.spec import mistakes
from fgfi_core.spec.mistakes import Mistake


def explain(errors: Iterable[Mapping[str, Any]], body: Any) -> list[Mistake]:
    """One mistake a field."""
    return [one if one.hint else replace(one, hint=_hint(one.path)) for one in mistakes.explain(errors, body)]


def _hint(path: str) -> str:
    if path.endswith(".detector"):
        return "GET /v1/detectors lists the detectors."
    if path.startswith("method"):
        return "GET /v1/methods has the schema of each method."
    return ""

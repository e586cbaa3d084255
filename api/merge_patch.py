"""Changes to a JSON document as RFC 7396 has them: objects are merged, null removes, all else replaces."""

from collections.abc import Mapping
from typing import Any


def apply(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changed document; `document` stays as it is.

    One rule is our own: an inner object whose `name` changes is replaced, for the other fields belong to that name
    (a method's `threshold` says nothing about another method).
    """
    return _merge(document, changes)


def _merge(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for key, change in changes.items():
        before = merged.get(key)
        if change is None:
            merged.pop(key, None)
        elif isinstance(change, Mapping):
            whole = isinstance(before, Mapping) and change.get("name", before.get("name")) == before.get("name")
            merged[key] = _merge(before if whole and isinstance(before, Mapping) else {}, change)
        else:
            merged[key] = change
    return merged

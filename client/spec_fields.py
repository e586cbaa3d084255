"""A spec as its fields, each by the path that `fgfi clone --set` takes."""

from collections.abc import Iterator, Mapping
from typing import Any


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves with their paths; a list is a leaf."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from flat(one, f"{path}.{name}" if path else str(name))
    else:
        yield path, value

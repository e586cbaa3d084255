"""A finished file of the run that the user may want, as an event."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from fgfi_core.events import ArtifactWritten

MEDIA_TYPES = {
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".onnx": "application/octet-stream",
    ".zip": "application/zip",
}

Facts = Mapping[str, float | str | bool]


def artifact(out_dir: Path, path: str, format_: str, facts: Facts) -> ArtifactWritten:
    """The event that names it. path: relative to `out_dir`. facts: what was measured on that very file."""
    content = (out_dir / path).read_bytes()
    return ArtifactWritten(
        name=Path(path).name,
        format=format_,
        path=path,
        media_type=MEDIA_TYPES.get(Path(path).suffix, "application/octet-stream"),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        facts=dict(facts),
    )

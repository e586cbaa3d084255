"""Files that a run wrote for machines, read back for a page."""

from collections.abc import Sequence

import structlog
from pydantic import ValidationError

from api.dashboard.views.measured import Measured
from store.objects import ObjectStore
from store.tables import Artifact

log = structlog.get_logger("api.dashboard")

EVALUATION, PICTURES = "evaluation.json", "pictures.json"
# Of 80 classes and three seeds it has some megabytes; a page is not made from more than this.
MAX_BYTES = 32 * 2**20


def find(files: Sequence[Artifact], name: str) -> Artifact | None:
    """The file of this name, where the job has one."""
    return next((row for row in files if row.name == name), None)


def read_measured(objects: ObjectStore, files: Sequence[Artifact]) -> Measured | None:
    """What the job measured; None where it has not measured yet, or wrote what cannot be read."""
    row = find(files, EVALUATION)
    if row is None or row.size > MAX_BYTES:
        return None
    try:
        return Measured.model_validate_json(b"".join(objects.get(row.object_key)))
    except ValidationError as error:
        log.warning("evaluation_unreadable", artifact=row.id, problems=error.error_count())
        return None

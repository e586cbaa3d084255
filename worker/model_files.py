"""The weights of the models that a job begins with: fetched, verified, kept in the cache as data sets are."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from store import job_models, models
from store.errors import ObjectMissing, StoreError
from store.models import Architecture
from store.objects.protocol import CHUNK
from store.safetensors_header import PREFIX, length, parse
from store.tables import Model
from worker.materialise import download
from worker.workplace import Workplace

GONE_HINT = "Register the model again and clone the job with the new id."
FILE = "weights.safetensors"


class ModelGone(StoreError):
    """A model that the job begins with was deleted."""

    code = "model_gone"


@contextmanager
def model_files(place: Workplace, job_id: str) -> Iterator[Mapping[str, Path]]:
    """The files of a job's models by side, kept in the cache for the length of a block. Raises ModelGone."""
    with place.sessions.begin() as session:
        rows = job_models.of_job(session, job_id)
    with ExitStack() as held:
        yield {side: held.enter_context(_fetched(place, row)) for side, row in rows.items()}


def link_models(folder: Path, files: Mapping[str, Path]) -> None:
    """Lay the files into a job's folder, as the runner looks for them."""
    (folder / "weights").mkdir()
    for side, file in files.items():
        (folder / "weights" / f"{side}.safetensors").symlink_to(file)


def declared_metadata(declared: Architecture) -> dict[str, str]:
    """What the science reads of a file of weights (`fgfi_core/export/safetensors.py` writes the same)."""
    facts = {
        "classes": declared.classes,
        "image_size": declared.image_size,
        "anchor_shapes": declared.anchor_shapes,
    }
    return {"detector": declared.detector, **{name: json.dumps(fact) for name, fact in facts.items()}}


def declare(file: Path, metadata: Mapping[str, str]) -> None:
    """Give a safetensors file these entries of metadata; its tensors stay as they are, byte for byte."""
    with file.open("rb") as source:
        first = source.read(PREFIX)
        header = parse(first + source.read(length(first) - PREFIX))
        wanted = {**header.metadata, **metadata}
        if wanted == header.metadata:
            return
        draft = file.with_name(f".{file.name}.part")
        source.seek(header.length)
        with draft.open("wb") as target:
            target.write(header.with_metadata(wanted))
            while chunk := source.read(CHUNK):
                target.write(chunk)
    draft.replace(file)


@contextmanager
def _fetched(place: Workplace, row: Model) -> Iterator[Path]:
    _require_there(row)
    if row.size is None or row.sha256 is None:
        raise ObjectMissing(f"model '{row.id}' has no weights")
    size, sha256 = row.size, row.sha256
    metadata = declared_metadata(models.architecture_of(row))

    def fill(folder: Path) -> None:
        download(place.objects, row.object_key, folder / FILE, size=size, sha256=sha256)
        declare(folder / FILE, metadata)

    # The same weights under another declaration are another file.
    key = hashlib.sha256(json.dumps([sha256, metadata], sort_keys=True).encode()).hexdigest()
    try:
        with place.cache.use(key, fill) as folder:
            yield folder / FILE
    except ObjectMissing:
        # Deleted after we asked, or really missing: asking again tells.
        with place.sessions.begin() as session:
            _require_there(session.get_one(Model, row.id))
        raise


def _require_there(row: Model) -> None:
    if row.deleted_at is not None:
        raise ModelGone(f"model '{row.id}' was deleted", hint=GONE_HINT)

"""Artifacts: the files a job delivers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from store import events, garbage, ids
from store.errors import NotFound
from store.events import NewEvent
from store.jobs import get as get_job
from store.leases import Lease, fence
from store.tables import Artifact, Job
from store.tables.base import Json

DOWNLOAD_GRACE = timedelta(hours=1)


@dataclass(frozen=True)
class NewArtifact:
    """An uploaded and verified file. `facts`: what was measured on that very file."""

    name: str
    format: str
    path: str
    object_key: str
    media_type: str
    size: int
    sha256: str
    facts: Json = field(default_factory=dict)


def publish(session: Session, lease: Lease, new: NewArtifact) -> Artifact:
    """Publish a file; one of the same name and attempt is replaced. Raises LeaseLost."""
    job = fence(session, lease)
    published = session.scalar(select(Artifact).where(Artifact.object_key == new.object_key))
    if published is not None:  # Before a connection broke, and asked for again.
        return published
    same = (Artifact.job_id == job.id, Artifact.attempt == lease.attempt, Artifact.name == new.name)
    earlier = session.scalar(select(Artifact).where(*same))
    if earlier is not None:
        garbage.add(session, [earlier.object_key], DOWNLOAD_GRACE)
        session.delete(earlier)
        session.flush()
    row = Artifact(
        id=ids.new("art"),
        job_id=job.id,
        attempt=lease.attempt,
        name=new.name,
        format=new.format,
        path=new.path,
        object_key=new.object_key,
        media_type=new.media_type,
        size=new.size,
        sha256=new.sha256,
        facts=new.facts,
    )
    session.add(row)
    facts = {"id": row.id, "name": new.name, "format": new.format, "size": new.size, "facts": new.facts}
    events.append(session, job, [NewEvent("artifact", facts)])
    session.flush()
    return row


def list_newest(session: Session, project_id: str, job_id: str) -> Sequence[Artifact]:
    """The job's files by name, each from the newest attempt that wrote it. Raises NotFound."""
    get_job(session, project_id, job_id)
    return session.scalars(
        select(Artifact)
        .where(Artifact.job_id == job_id)
        .ext(distinct_on(Artifact.name))
        .order_by(Artifact.name, Artifact.attempt.desc())
    ).all()


def get(session: Session, project_id: str, artifact_id: str) -> Artifact:
    """One file. Raises NotFound."""
    row = session.scalar(
        select(Artifact)
        .join(Job, Job.id == Artifact.job_id)
        .where(Artifact.id == artifact_id, Job.project_id == project_id)
    )
    if row is None:
        raise NotFound(f"there is no artifact '{artifact_id}'")
    return row

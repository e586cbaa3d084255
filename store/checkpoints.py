"""Checkpoints: the fenced row is the publication of an uploaded object; resuming takes the newest that is whole."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store import events, garbage
from store.events import NewEvent
from store.jobs import get
from store.leases import Lease, fence
from store.tables import Checkpoint, Job

KEPT = 2


@dataclass(frozen=True)
class NewCheckpoint:
    """An uploaded and verified checkpoint. `path`: relative to the run's output folder."""

    stage: str
    seed: int
    step: int
    final: bool
    path: str
    object_key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class StageCheckpoints:
    """The checkpoints of one stage and seed, newest first.

    finals: for each file of the finished stage its versions; empty while the stage is unfinished. steps: the others.
    """

    stage: str
    seed: int
    finals: Sequence[Sequence[Checkpoint]]
    steps: Sequence[Checkpoint]


def publish(session: Session, lease: Lease, new: NewCheckpoint) -> Checkpoint:
    """Publish a checkpoint and let go of those it makes superfluous. Raises LeaseLost.

    A final one that is published already, byte for byte, is not published again: the earlier row is returned and the
    new object collected. Kept are all final ones and the newest two others. A checkpoint further on than all before
    clears the count of losses without progress.
    """
    job = fence(session, lease)
    earlier = session.scalar(select(Checkpoint).where(Checkpoint.object_key == new.object_key))
    if earlier is not None:  # Published before a connection broke, and asked for again.
        return earlier
    if new.final and (same := find_final(session, job.id, new.stage, new.seed, new.path, new.sha256)) is not None:
        garbage.add(session, [new.object_key])
        session.flush()
        return same
    if _is_newer(session, job.id, new):
        job.losses_without_checkpoint = 0
    row = Checkpoint(
        job_id=job.id,
        attempt=lease.attempt,
        stage=new.stage,
        seed=new.seed,
        step=new.step,
        final=new.final,
        path=new.path,
        object_key=new.object_key,
        size=new.size,
        sha256=new.sha256,
    )
    session.add(row)
    session.flush()
    _let_go(session, job)
    facts = {"stage": new.stage, "seed": new.seed, "step": new.step, "final": new.final, "size": new.size}
    events.append(session, job, [NewEvent("checkpoint", facts)])
    session.flush()
    return row


def find_final(session: Session, job_id: str, stage: str, seed: int, path: str, sha256: str) -> Checkpoint | None:
    """The published final checkpoint with this very content, None when there is none that is whole."""
    return session.scalar(
        select(Checkpoint)
        .where(
            Checkpoint.job_id == job_id,
            Checkpoint.stage == stage,
            Checkpoint.seed == seed,
            Checkpoint.path == path,
            Checkpoint.sha256 == sha256,
            Checkpoint.final,
            Checkpoint.damaged_at.is_(None),
        )
        .order_by(Checkpoint.id.desc())
        .limit(1)
    )


def list_all(session: Session, project_id: str, job_id: str) -> Sequence[Checkpoint]:
    """The job's checkpoints as users see them, oldest first. Raises NotFound."""
    get(session, project_id, job_id)
    return session.scalars(
        select(Checkpoint).where(Checkpoint.job_id == job_id, Checkpoint.damaged_at.is_(None)).order_by(Checkpoint.id)
    ).all()


def to_resume(session: Session, job_id: str) -> list[StageCheckpoints]:
    """What each stage and seed can go on from. Damaged checkpoints are left out."""
    rows = session.scalars(
        select(Checkpoint)
        .where(Checkpoint.job_id == job_id, Checkpoint.damaged_at.is_(None))
        .order_by(Checkpoint.id.desc())
    )
    finals: dict[tuple[str, int], dict[str, list[Checkpoint]]] = defaultdict(lambda: defaultdict(list))
    steps: dict[tuple[str, int], list[Checkpoint]] = defaultdict(list)
    for row in rows:
        key = (row.stage, row.seed)
        if row.final:
            finals[key][row.path].append(row)
        else:
            steps[key].append(row)
    return [
        StageCheckpoints(*key, finals=list(finals[key].values()), steps=steps[key])
        for key in sorted(finals.keys() | steps.keys())
    ]


def mark_damaged(session: Session, lease: Lease, checkpoint_id: int, reason: str) -> None:
    """Never try this checkpoint again, and say so in the job's history. Raises LeaseLost."""
    job = fence(session, lease)
    row = session.get_one(Checkpoint, checkpoint_id)
    row.damaged_at = func.clock_timestamp()
    garbage.add(session, [row.object_key])
    message = f"Checkpoint '{row.path}' (step {row.step}) is damaged ({reason}): the stage goes on from the one before."
    log = {"level": "warning", "message": message, "code": "checkpoint_damaged"}
    events.append(session, job, [NewEvent("log", log)])
    session.flush()


def _is_newer(session: Session, job_id: str, new: NewCheckpoint) -> bool:
    same = (Checkpoint.job_id == job_id, Checkpoint.stage == new.stage, Checkpoint.seed == new.seed)
    as_far = select(Checkpoint.id).where(*same, Checkpoint.step >= new.step)
    if new.final:
        as_far = as_far.where(Checkpoint.final)
    return session.scalar(as_far.limit(1)) is None


def _let_go(session: Session, job: Job) -> None:
    old = session.scalars(
        select(Checkpoint)
        .where(Checkpoint.job_id == job.id, Checkpoint.final.is_(False), Checkpoint.damaged_at.is_(None))
        .order_by(Checkpoint.id.desc())
        .offset(KEPT)
    ).all()
    garbage.add(session, [row.object_key for row in old])
    for row in old:
        session.delete(row)
    session.flush()

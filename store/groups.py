"""Groups of jobs that are compared: made in one transaction, listed, cancelled and deleted together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fgfi_core.spec import JobSpec
from store import audit, idempotency, ids, jobs
from store.errors import NotFound, WrongState
from store.idempotency import Idempotency
from store.pages import Page, page
from store.queues import Placing
from store.states import after_action, is_terminal
from store.tables import Group, Job


@dataclass(frozen=True)
class Arm:
    """One job of a group to be made. changes: a merge patch of the base, whose outcome `spec` is."""

    label: str
    changes: Mapping[str, Any]
    spec: JobSpec
    placing: Placing


@dataclass(frozen=True)
class NewGroup:
    """A comparison to be made."""

    name: str
    base: JobSpec
    arms: Sequence[Arm]


def made_before(session: Session, project_id: str, once: Idempotency) -> Group | None:
    """The group that an earlier request of this key made; else the key is held for this one.

    Raises IdempotencyMismatch, IdempotencyInFlight.
    """
    earlier = idempotency.find(session, project_id, once)
    return None if earlier is None else get(session, project_id, earlier)


def create(session: Session, project_id: str, new: NewGroup, once: Idempotency | None = None) -> Group:
    """Make a group with all its jobs in the caller's one transaction; `made_before` was asked about the key.

    Raises what `jobs.prepare` raises for the first arm that cannot be.
    """
    group = Group(
        id=ids.new("grp"),
        project_id=project_id,
        name=new.name,
        base=new.base.model_dump(mode="json"),
        variants=[{"label": arm.label, "changes": dict(arm.changes)} for arm in new.arms],
    )
    session.add(group)
    session.flush()
    session.refresh(group)
    audit.record(session, project_id, "group.create", group.id, name=group.name)
    for arm in new.arms:
        jobs.create(session, project_id, arm.spec, placing=replace(arm.placing, group_id=group.id, arm=arm.label))
    if once is not None:
        idempotency.remember(session, project_id, once, group.id)
    return group


def get(session: Session, project_id: str, group_id: str) -> Group:
    """One group. Raises NotFound."""
    row = session.scalar(select(Group).where(Group.id == group_id, Group.project_id == project_id))
    if row is None:
        hint = "It may have been deleted, or belong to another project."
        raise NotFound(f"there is no group '{group_id}'", hint=hint)
    return row


def list_page(session: Session, project_id: str, *, cursor: str | None = None, limit: int = 20) -> Page[Group]:
    """Groups, newest first. Raises BadCursor."""
    return page(session, select(Group).where(Group.project_id == project_id), Group, cursor=cursor, limit=limit)


def jobs_of(session: Session, group: Group) -> Sequence[Job]:
    """The group's jobs that are not deleted, in the order of its variants."""
    order = {variant["label"]: place for place, variant in enumerate(group.variants)}
    found = session.scalars(select(Job).where(Job.group_id == group.id)).all()
    return sorted(found, key=lambda job: (order.get(job.arm or "", len(order)), job.created_at))


def states_of(session: Session, group_ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """How many jobs of each group are in each state. The caller owns the groups."""
    query = (
        select(Job.group_id, Job.state, func.count().label("jobs"))
        .where(Job.group_id.in_(group_ids))
        .group_by(Job.group_id, Job.state)
    )
    found: dict[str, dict[str, int]] = {group_id: {} for group_id in group_ids}
    for row in session.execute(query):
        found[row.group_id][row.state] = row.jobs
    return found


def cancel(session: Session, project_id: str, group_id: str) -> Group:
    """End every job of the group that is not over yet; repeating is fine. Raises NotFound."""
    group = get(session, project_id, group_id)
    for job_id in _ids(session, group):
        job = jobs.held(session, project_id, job_id)
        if after_action("cancel", job.state) not in {None, job.state}:
            jobs.cancel(session, project_id, job_id)
    return group


def delete(session: Session, project_id: str, group_id: str) -> None:
    """Delete a group with its jobs and all they published. Raises NotFound; WrongState while one may still run."""
    group = get(session, project_id, group_id)
    held = [jobs.held(session, project_id, job_id) for job_id in _ids(session, group)]
    for job in held:
        if not is_terminal(job.state):
            hint = "Cancel the group first, and wait until its jobs have stopped."
            raise WrongState(f"job '{job.id}' of the group is {job.state}", state=job.state, hint=hint)
    for job in held:
        jobs.delete(session, project_id, job.id)
    session.delete(group)
    session.flush()
    audit.record(session, project_id, "group.delete", group.id, name=group.name)


def _ids(session: Session, group: Group) -> Sequence[str]:
    """In the order in which rows are locked, whoever asks."""
    return session.scalars(select(Job.id).where(Job.group_id == group.id).order_by(Job.id)).all()

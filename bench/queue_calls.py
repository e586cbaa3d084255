"""The store's calls that a service makes all day, each ready to be made again and again on a filled database."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from fgfi_core.spec import DETECTORS, JobSpec
from store import attempts, jobs, leases, outbox, reaper, transitions, turns
from store.attempts import Budget, NewMetric, Report, Trace
from store.events import NewEvent
from store.leases import Lease
from store.pages import encode
from store.tables import Attempt, Job, Outbox

QUEUES = ("jobs", "jobs.cpu", "jobs.gpu")
LEASE = timedelta(days=1)
RELAYED = 20


def nothing(_session: Session) -> None:
    """Needs no preparation."""


@dataclass(frozen=True)
class Call:
    """One call. prepare: what must be so before each; its result goes to `make`, and only `make` counts."""

    name: str
    make: Callable[[Session, Any], object]
    prepare: Callable[[Session], Any] = nothing


@dataclass
class Calls:
    """The calls on one database. project_id: whose jobs are listed; chance: which job it is this time."""

    project_id: str
    deep: str
    """A cursor in the middle of the project's list."""
    dataset_id: str
    unique: str
    """A word that only one job's name has."""
    ids: Sequence[str]
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    @classmethod
    def of(cls, session: Session) -> "Calls":
        """Choose what to ask for: the jobs of the project that has most."""
        query = select(Job.project_id).group_by(Job.project_id).order_by(func.count().desc()).limit(1)
        project_id = session.scalars(query).one()
        ids = session.scalars(select(Job.id).where(Job.project_id == project_id).order_by(Job.created_at)).all()
        middle = session.get_one(Job, ids[len(ids) // 2])
        unique = middle.name.rpartition(" ")[2]
        deep = encode(middle.created_at, middle.id)
        return cls(project_id, deep, middle.dataset_id, unique, random.Random(0).sample(ids, min(500, len(ids))))

    def all(self) -> list[Call]:
        """Every call."""
        return [*self.of_workers(), *self.of_users(), *self.of_the_steward()]

    def of_workers(self) -> list[Call]:
        """From the claim of a job to its end."""
        return [
            Call("claim", lambda session, _: turns.claim_next(session, QUEUES, worker_id="bench", lease=LEASE)),
            Call("heartbeat", lambda session, lease: leases.heartbeat(session, lease, LEASE), self._lease),
            Call("report", lambda session, lease: attempts.write(session, lease, _report()), self._lease),
            Call("finish", lambda session, lease: attempts.succeed(session, lease, {}, Trace("Done.")), self._lease),
        ]

    def of_users(self) -> list[Call]:
        """Making one job, reading one, and lists with each filter."""
        return [
            Call("create", lambda session, _: jobs.create(session, self.project_id, self._spec())),
            Call("get", self._get, lambda _: self.chance.choice(self.ids)),
            self._list("list"),
            self._list("list, deep cursor", cursor=self.deep),
            self._list("list, state=queued", states=["queued"]),
            self._list("list, state=paused", states=["paused"]),
            self._list("list, state=running,cancelling,pausing", states=["running", "cancelling", "pausing"]),
            self._list("list, state=failed, deep cursor", states=["failed"], cursor=self.deep),
            self._list("list, dataset", dataset_id=self.dataset_id),
            self._list("list, dataset, deep cursor", dataset_id=self.dataset_id, cursor=self.deep),
            self._list("list, dataset and state=paused", dataset_id=self.dataset_id, states=["paused"]),
            self._list("list, text in many names", text="cells"),
            self._list("list, text in one name", text=f"run {self.unique}"),
            self._list("list, text in no name", text="nowhere"),
            self._list("list, text in no name and state=failed", text="nowhere", states=["failed"]),
            self._list("list, text is an id", text=self.ids[0]),
            Call("count by state", lambda session, _: jobs.count_by_state(session, self.project_id)),
        ]

    def of_the_steward(self) -> list[Call]:
        """Its chores, with work to do."""
        return [
            Call("reap one", lambda session, _: reaper.reap(session, Budget()), self._expire),
            Call("reap none", lambda session, _: reaper.reap(session, Budget())),
            Call(f"relay {RELAYED}", _relay, self._leave_messages),
            Call("relay none", _relay),
            Call("look for lost messages", _look_for_forgotten),
        ]

    def _list(self, name: str, **filters: Any) -> Call:
        return Call(name, lambda session, _: jobs.list_page(session, self.project_id, **filters))

    def _spec(self) -> JobSpec:
        detector = {"detector": next(iter(DETECTORS))}
        return JobSpec.model_validate(
            {"name": "cells", "dataset": {"id": self.dataset_id}, "teacher": detector, "student": detector}
        )

    def _get(self, session: Session, job_id: str) -> object:
        job = jobs.get(session, self.project_id, job_id)
        return (
            job,
            jobs.attempts_of(session, self.project_id, job.id),
            transitions.of_job(session, self.project_id, job.id),
        )

    def _lease(self, session: Session) -> Lease:
        """The lease of some running job."""
        held = select(Attempt).join(Job, Attempt.job_id == Job.id).where(Attempt.ended_at.is_(None))
        row = self.chance.choice(session.scalars(held.order_by(Attempt.job_id)).all())
        return Lease(row.job_id, row.number, row.lease_token)

    def _expire(self, session: Session) -> None:
        query = update(Attempt).where(*leases.own(self._lease(session)))
        session.execute(query.values(lease_expires_at=func.clock_timestamp() - timedelta(seconds=1)))

    def _leave_messages(self, session: Session) -> None:
        session.execute(text("UPDATE outbox SET published_at = clock_timestamp() WHERE published_at IS NULL"))
        newest = select(Job.id).where(Job.state == "queued").order_by(Job.created_at.desc()).limit(RELAYED)
        session.add_all(Outbox(kind="job", subject_id=job_id, queue="jobs") for job_id in session.scalars(newest))


def _report() -> Report:
    events, metrics = [NewEvent("log", {"message": "A line."})], [NewMetric("teacher", 0, "loss", 1, 0.1, 1.0)]
    return Report(10**6, events, metrics, stage="teacher", progress={"step": 1, "steps": 9}, step=1)


def _relay(session: Session, _: object) -> None:
    if messages := outbox.take_due(session):
        outbox.mark(session, messages)


def _look_for_forgotten(session: Session, _: object) -> None:
    for queue in QUEUES:
        outbox.forgotten_jobs(session, queue, timedelta(days=3650))

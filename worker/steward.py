"""The steward: `python -m worker.steward`. Relays the outbox, reaps lost attempts, announces again, tidies up.

Several may run; an advisory lock lets one work, and the next takes over when it is gone. It is never a queue job: it
must work when the queue does not.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from kombu.exceptions import OperationalError as BrokerAway
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from store import (
    audit,
    datasets,
    exports,
    failpoints,
    garbage,
    housekeeping,
    logins,
    models,
    outbox,
    reaper,
    receiving,
    steward_lock,
    webhook_sending,
    workers,
)
from store.database import Sessions, make_engine, make_sessions, now
from store.objects import ObjectStore, open_store
from store.objects.protocol import STALE
from store.settings import Settings, get_settings
from store.tables import Dataset, Export, Model, Outbox
from worker import alive, app, clock
from worker.stopping import Stopping
from worker.supervisor import budget_of
from worker.webhook_sender import Sender

log = logging.getLogger(__name__)

STANDBY_SECONDS = 2.0
SWEEP_BATCH = 500
CHECKED: dict["app.Kind", type[Dataset] | type[Model] | type[Export]] = {
    "dataset": Dataset,
    "model": Model,
    "export": Export,
}


@dataclass
class Chore:
    """Something done every so often; one that fails is tried again at its next turn."""

    every: float
    action: Callable[[], None]
    due: float = field(default=0.0)


class Steward:
    """The chores. Each commits on its own, and each may be done twice at once without harm."""

    def __init__(self, settings: Settings, sessions: Sessions, objects: ObjectStore) -> None:
        self._settings = settings
        self._sessions = sessions
        self._objects = objects
        self._webhooks = Sender(settings, sessions)
        self.chores = [
            Chore(0, self.relay),
            Chore(0, self.reap),
            Chore(settings.republish_seconds / 4, self.announce_again),
            Chore(0, self.tell_webhooks),
            Chore(10, self.collect),
            Chore(10, self.sum_counts),
            Chore(60, self.expire),
            Chore(60, self.tidy_uploads),
            Chore(3600, self.sweep),
        ]

    def round(self) -> None:
        """Do what is due."""
        for chore in self.chores:
            if clock.now() < chore.due:
                continue
            chore.due = clock.now() + chore.every
            alive.beat(self._settings.alive_file)
            try:
                chore.action()
            except (DBAPIError, BrokerAway, OSError) as error:
                log.warning("%s: %s; trying again", chore.action.__name__, error)
            except Exception:
                log.exception("%s failed; trying again", chore.action.__name__)

    def relay(self) -> None:
        """Publish the messages of committed changes."""
        with self._sessions.begin() as session:
            published: list[Outbox] = []
            try:
                for message in outbox.take_due(session):
                    failpoints.reach("before_publish")
                    app.publish(cast("app.Kind", message.kind), message.subject_id, message.queue)
                    published.append(message)
                    failpoints.reach("published")
            except BrokerAway as error:
                log.warning("the broker is away, %d published: %s", len(published), error)
            if published:
                outbox.mark(session, published)

    def tell_webhooks(self) -> None:
        """Begin to send what webhooks are to be told."""
        self._webhooks.deliver()

    def reap(self) -> None:
        """End attempts whose worker was not heard of."""
        with self._sessions.begin() as session:
            reaped = reaper.reap(session, budget_of(self._settings))
        for job_id, state in reaped:
            log.warning("job %s lost its worker and is %s now", job_id, state)

    def announce_again(self) -> None:
        """Publish again what waits although its message seems to be lost, as after a flush of Redis."""
        age = timedelta(seconds=self._settings.republish_seconds)
        jobs_queues = [queue for queue in app.known_queues() if queue != app.QUEUES["dataset"]]
        kinds: list[tuple[str, app.Kind]] = [(queue, "job") for queue in jobs_queues]
        kinds += [(app.QUEUES[kind], kind) for kind in CHECKED]
        with self._sessions.begin() as session:
            for queue, kind in kinds:
                forgotten = (
                    outbox.forgotten_jobs(session, queue, age)
                    if kind == "job"
                    else outbox.forgotten_checks(session, CHECKED[kind], age)
                )
                # Behind busy workers jobs wait for hours, with their messages: only missing ones are replaced.
                if len(forgotten) > app.waiting(queue):
                    for subject_id in forgotten:
                        app.publish(kind, subject_id, queue)
                    outbox.announced(session, kind, forgotten)
                    log.info("announced %d %ss again", len(forgotten), kind)

    def collect(self) -> None:
        """Delete objects that no row needs any more."""
        with self._sessions.begin() as session:
            keys = garbage.take_due(session)
            for key in keys:
                self._objects.delete(key)
            garbage.forget(session, keys)

    def sum_counts(self) -> None:
        """Keep the numbers of jobs by state quick to read."""
        with self._sessions.begin() as session:
            housekeeping.sum_counts(session)

    def expire(self) -> None:
        """Drop what has served its time."""
        with self._sessions.begin() as session:
            housekeeping.expire_idempotency_keys(session)
            logins.forget(session)
            audit.forget(session, timedelta(days=self._settings.audit_days))
            for uploads in (datasets, models):
                uploads.expire_uploads(session, timedelta(hours=self._settings.upload_expiry_hours))
            exports.expire(session)
            outbox.forget_published(session, timedelta(days=1))
            webhook_sending.forget(session, timedelta(days=30))
            workers.forget(session, timedelta(days=1))

    def tidy_uploads(self) -> None:
        """End uploads in parts that were abandoned, and let their parts go."""
        receiving.tidy(self._sessions, self._objects)

    def sweep(self) -> None:
        """Find objects that never got a row (a worker died between upload and publication)."""
        # Never the parts of an upload that is open still: it expires by its row, an hour before.
        self._objects.sweep(max(STALE, timedelta(hours=self._settings.upload_expiry_hours + 1)))
        with self._sessions.begin() as session:
            oldest = now(session) - timedelta(hours=self._settings.orphan_hours)
        batch: list[str] = []
        for found in self._objects.list():
            if found.modified < oldest:
                batch.append(found.key)
            if len(batch) == SWEEP_BATCH:
                self._discard_unreferenced(batch)
                batch = []
        self._discard_unreferenced(batch)

    def _discard_unreferenced(self, keys: list[str]) -> None:
        if keys:
            with self._sessions.begin() as session:
                garbage.add(session, garbage.unreferenced(session, keys))


def watch(
    engine: Engine,
    stopping: Stopping,
    round_: Callable[[], None],
    pause: float,
    live: Callable[[], None] = lambda: None,
) -> None:
    """Do rounds while this process holds the stewards' lock, until asked to stop. live: called while it waits."""
    while not stopping():
        live()
        try:
            with steward_lock.candidate(engine) as connection:
                while not stopping() and not steward_lock.take(connection):
                    live()
                    stopping.wait(STANDBY_SECONDS)
                while not stopping():
                    steward_lock.check(connection)
                    round_()
                    stopping.wait(pause)
        except DBAPIError as error:
            log.warning("the database is away: %s", error)
        stopping.wait(STANDBY_SECONDS)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    settings = get_settings()
    stopping = Stopping()
    stopping.on_signals()
    sessions = make_sessions(make_engine(settings, pool_size=2, application="fgfi steward"))
    steward = Steward(settings, sessions, open_store(settings.storage_url))
    lock_engine = make_engine(settings, pool_size=1, application="fgfi steward lock")
    watch(lock_engine, stopping, steward.round, settings.steward_seconds, lambda: alive.beat(settings.alive_file))


if __name__ == "__main__":
    main()

"""A Hypothesis machine: a few jobs on real PostgreSQL, and all that can happen to them. See `test_machine.py`."""

from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar, cast, get_args

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import delete, func, update

from fgfi_core.spec import JobSpec
from store import housekeeping, jobs, leases, outbox, reaper, turns
from store.database import Sessions
from store.errors import LeaseLost, WrongState
from store.leases import Claim, Lease, Pulse
from store.states import HELD, Action, after_action
from store.tables import Attempt, Job, Outbox
from tests.integration.store.machine_model import BUDGET, FINISHES, HOP, LEASE, WRITES, Held, Life
from tests.integration.store.machine_store import call, rows

MOVES = [
    *((name, ()) for name in ("create", "hear_of", "take_a_turn", "heartbeat", "time_passes", "fall_silent", "reap")),
    *(("write", (what,)) for what in WRITES),
    *(("act", (action,)) for action in get_args(Action) for _ in range(2)),
]
EPISODES = [
    *(("live_and_end", (wishes,)) for wishes in [(), ("pause",), ("cancel",), ("pause", "cancel")]),
    *(("live_hard", (further,)) for further in (True, True, False, False)),
    *((name, ()) for name in ("live_long", "need_too_much_memory", *3 * ("lose_all_messages",))),
    *((name, ()) for name in ("write_late", "write_after_the_end") for _ in range(2)),
    *(("guess", (what,)) for what in WRITES[::3]),
]


class Machine(RuleBasedStateMachine):
    """A few jobs and everything that can happen to them."""

    sessions: ClassVar[Sessions]
    project_id: ClassVar[str]
    spec: ClassVar[JobSpec]
    seen: ClassVar[Counter[str]]

    # Two rules instead of one a method: Hypothesis leaves out most rules of most lives, and then nothing rare happens.
    @rule(move=st.sampled_from(MOVES), number=st.integers(0, 3))
    def move(self, move: tuple[str, tuple[Any, ...]], number: int) -> None:
        """One small thing happens to one job."""
        name, more = move
        getattr(self, name)(number, *more)

    @rule(episode=st.sampled_from(EPISODES), number=st.integers(0, 3))
    def live(self, episode: tuple[str, tuple[Any, ...]], number: int) -> None:
        """A stretch of the life of one job, brought about on purpose."""
        name, more = episode
        getattr(self, name)(number, *more)

    @initialize()
    def empty(self) -> None:
        self.lives: list[Life] = []
        self.leases: list[tuple[Life, Held]] = []
        with self.sessions.begin() as session:
            session.execute(delete(Job))
            session.execute(delete(Outbox))
            housekeeping.sum_counts(session)
        self.create()
        self.create()

    def create(self, _: int = 0) -> None:
        with self.sessions.begin() as session:
            self.lives.append(Life(jobs.create(session, self.project_id, self.spec).job.id, self.seen))

    def hear_of(self, number: int) -> None:
        """A message arrives: the first one, the same one again, or one that is out of date."""
        life = self._life(number)
        with self.sessions.begin() as session:
            claim = leases.claim(session, life.id, worker_id="w", lease=timedelta(seconds=LEASE))
        assert (claim is not None) == life.due
        if claim is not None:
            self._take(life, claim)
        elif life.state in HELD:
            self.seen["a message twice"] += 1
        else:
            self.seen["a message before its time" if life.state == "queued" else "a message for nobody"] += 1

    def take_a_turn(self, _: int = 0) -> None:
        with self.sessions.begin() as session:
            claim = turns.claim_next(session, ["jobs"], worker_id="w", lease=timedelta(seconds=LEASE))
        due = [life for life in self.lives if life.due]
        assert (claim is not None) == bool(due)
        if claim is not None:
            assert claim.job.id == due[0].id
            self._take(due[0], claim)
            self.seen["turn taken"] += 1

    def heartbeat(self, number: int) -> None:
        life = self._life(number)
        if life.lease is not None:
            with self.sessions.begin() as session:
                pulse = leases.heartbeat(session, life.lease.lease, timedelta(seconds=LEASE))
            assert pulse == Pulse(cancel=life.state == "cancelling", pause=life.state == "pausing")
            self.seen["lease renewed late"] += life.lease.left < HOP
            life.lease.left = LEASE

    def write(self, number: int, what: str) -> None:
        """Who holds a job writes."""
        life = self._life(number)
        if life.lease is not None:
            self._write(life, what)

    def write_late(self, number: int) -> None:
        """A worker wakes after its lease has ended, before anybody noticed, and goes on as if nothing had happened."""
        self._have_running(number)
        self.fall_silent(number)
        held = self._life(number).held
        if held is not None:
            self._refuse_everything(self._life(number), held, "expired")

    def write_after_the_end(self, back: int) -> None:
        """So does one whose attempt was ended, and perhaps followed by another."""
        over = [(life, held) for life, held in self.leases if held.over]
        for life, held in over[-1 - back :][:1]:
            self._refuse_everything(life, held, "replaced or over")

    def live_and_end(self, number: int, wishes: tuple[Action, ...]) -> None:
        """Attempts that come to every end there is, with what their user wished meanwhile; and a message after each."""
        for end in ("silence", *FINISHES):
            life = self._have_running(number)
            for wish in wishes:
                self.act(number, wish)
            if end == "silence":
                self.fall_silent(number)
                self.reap()
            elif life.lease is not None:
                self._write(life, end)
            self.hear_of(number)
            self.hear_of(number)
            for action in get_args(Action):
                if after_action(action, life.state) is None:
                    self._act(life, action)

    def live_long(self, number: int) -> None:
        """An attempt that outlives its first lease."""
        life = self._have_running(number)
        for _ in range(3):
            self.heartbeat(number)
            if life.lease is not None:
                self._write(life, "report")
                self._write(life, "repeat")
            self._hop(HOP)

    def need_too_much_memory(self, number: int) -> None:
        for _ in range(2):
            life = self._have_running(number)
            if life.lease is not None:
                self._write(life, "shrink")

    def guess(self, number: int, what: str) -> None:
        """Somebody with a wrong idea of a lease that lives."""
        life = self._have_running(number)
        if life.lease is None:
            return
        true = life.lease.lease
        lies = {
            "token": Lease(true.job_id, true.attempt, "guessed"),
            "attempt": Lease(true.job_id, true.attempt + 1, true.token),
            "job": Lease(next((one.id for one in self.lives if one is not life), "job_0"), true.attempt, true.token),
        }
        for wrong, lie in lies.items():
            with pytest.raises(LeaseLost), self.sessions.begin() as session:
                call(session, life, Held(lie), what)
            with self.sessions.begin() as session:
                assert leases.heartbeat(session, lie, timedelta(seconds=LEASE)) is None
            self.seen[f"guess refused, {wrong}"] += 1

    def act(self, number: int, action: Action) -> None:
        self._act(self._life(number), action)

    def _act(self, life: Life, action: Action) -> None:
        after = after_action(action, life.state)
        if after is None:
            with pytest.raises(WrongState), self.sessions.begin() as session:
                getattr(jobs, action)(session, self.project_id, life.id)
            self.seen[f"{action} refused"] += 1
            return
        with self.sessions.begin() as session:
            assert getattr(jobs, action)(session, self.project_id, life.id).state == after
        if after != life.state:
            life.acted(action, after)

    def time_passes(self, _: int = 0) -> None:
        self._hop(HOP)

    def fall_silent(self, number: int) -> None:
        """One worker is not heard of for so long that its lease ends."""
        held = self._life(number).held
        if held is not None:
            held.left = -1.0
            with self.sessions.begin() as session:
                past = func.clock_timestamp() - timedelta(seconds=1)
                mine = (Attempt.job_id == held.lease.job_id, Attempt.number == held.lease.attempt)
                session.execute(update(Attempt).where(*mine).values(lease_expires_at=past))

    def reap(self, _: int = 0) -> None:
        with self.sessions.begin() as session:
            reaped = dict(reaper.reap(session, BUDGET))
        expired = [life for life in self.lives if life.held is not None and life.held.left <= 0]
        for life in expired:
            life.lost()
            self.seen[f"reaped into {life.state}"] += 1
        assert reaped == {life.id: life.state for life in expired}

    def live_hard(self, number: int, further: bool) -> None:
        """Three attempts are lost one after the other, each further on than the last or not."""
        for _ in range(3):
            life = self._have_running(number)
            if further and life.lease is not None:
                self._write(life, "checkpoint")
            self.fall_silent(number)
            self.reap()

    def lose_all_messages(self, _: int = 0) -> None:
        """Redis is emptied, and nobody hears of what waits until it is announced again."""
        self._hop(2 * HOP)
        with self.sessions.begin() as session:
            outbox.mark(session, outbox.take_due(session))
            session.execute(update(Job).values(published_at=func.clock_timestamp() - timedelta(hours=2)))
            forgotten = outbox.forgotten_jobs(session, "jobs", timedelta(seconds=HOP))
        assert set(forgotten) == {life.id for life in self.lives if life.due and life.available <= -HOP}
        with self.sessions.begin() as session:
            outbox.announced(session, "job", forgotten)
            assert outbox.forgotten_jobs(session, "jobs", timedelta(seconds=HOP)) == []
        self.seen["a lost message sent again"] += len(forgotten)

    @invariant()
    def the_database_is_as_the_model(self) -> None:
        with self.sessions.begin() as session:
            assert rows(session) == {life.id: life.row() for life in self.lives}
            assert jobs.count_by_state(session, self.project_id) == Counter(life.state for life in self.lives)

    def _have_running(self, number: int) -> Life:
        """The job, running if it can be brought to that."""
        life = self._life(number)
        for state, action in (("paused", "resume"), ("failed", "retry"), ("cancelled", "retry")):
            if life.state == state:
                self.act(number, cast("Action", action))
        if life.state == "queued" and not life.due:
            self._hop(HOP * (1 + life.available // HOP))
        if life.due and life is next(one for one in self.lives if one.due):
            self.take_a_turn()
        elif life.due:
            self.hear_of(number)
        return life

    def _write(self, life: Life, what: str) -> None:
        assert life.held is not None
        with self.sessions.begin() as session:
            call(session, life, life.held, what)
        life.wrote(life.held, what)

    def _refuse_everything(self, life: Life, held: Held, why: str) -> None:
        for what in WRITES:
            with pytest.raises(LeaseLost), self.sessions.begin() as session:
                call(session, life, held, what)
            self.seen[f"zombie {what}, {why}"] += 1
        with self.sessions.begin() as session:
            assert leases.heartbeat(session, held.lease, timedelta(seconds=LEASE)) is None
        self.seen[f"heartbeat refused, {why}"] += 1

    def _life(self, number: int) -> Life:
        if all(life.state == "succeeded" for life in self.lives):
            self.create()
        lives = [life for life in self.lives if life.state != "succeeded"]
        return lives[-1 - number % len(lives)]

    def _take(self, life: Life, claim: Claim) -> None:
        self.leases.append((life, life.taken(claim)))

    def _hop(self, seconds: float) -> None:
        hop = timedelta(seconds=seconds)
        with self.sessions.begin() as session:
            live = Attempt.ended_at.is_(None)
            session.execute(update(Attempt).where(live).values(lease_expires_at=Attempt.lease_expires_at - hop))
            session.execute(update(Job).values(available_at=Job.available_at - hop))
            session.execute(update(Outbox).values(available_at=Outbox.available_at - hop))
        for life in self.lives:
            life.available -= seconds
            if life.held is not None:
                life.held.left -= seconds

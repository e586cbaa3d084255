"""One attempt at a job: claim -> bring its files -> run the child -> publish -> finish.

The supervisor holds the credentials and the lease; the child computes and knows neither. Whatever happens to the
lease ends the child, and whatever happens to the child ends in one fenced write.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from fgfi_core.errors import JobError
from store import attempts, failpoints
from store.attempts import Budget, Trace
from store.database import AWAY
from store.errors import LeaseLost
from store.leases import Claim
from store.settings import Settings
from worker import clock
from worker.child import Child, Request
from worker.environment import child_environment
from worker.journal import Journal
from worker.keeper import Keeper
from worker.materialise import DatasetGone, dataset_folder, fetch_checkpoints, write_job
from worker.memory import smaller_micro_batch
from worker.memory_guard import MemoryGuard
from worker.model_files import ModelGone, link_models, model_files
from worker.outcome import Ended, Verdict, judge
from worker.patience import Patience
from worker.publisher import Publisher
from worker.scratch import attempt_folder
from worker.workplace import Workplace

log = logging.getLogger(__name__)

RUNNER = (sys.executable, "-P", "-m", "worker.runner")
WRITE_SECONDS = 1.0
LINE_SECONDS = 0.2
STACK_SECONDS = 2.0


class Interrupted(Exception):
    """The attempt was asked to stop before its child began."""


def attempt(place: Workplace, claim: Claim, claimed_at: float, command: Sequence[str] = RUNNER) -> None:
    """Make one attempt at a claimed job. claimed_at: local time just before the claim was asked for."""
    place.job_id = claim.job.id
    try:
        _Attempt(place, claim, claimed_at, command).run()
    except LeaseLost as error:
        log.warning("job %s, attempt %d: given up: %s", claim.job.id, claim.lease.attempt, error)
    finally:
        place.job_id = None
        if place.spare is not None and not place.stopping():
            place.spare.prepare(command)


class _Attempt:
    def __init__(self, place: Workplace, claim: Claim, claimed_at: float, command: Sequence[str]) -> None:
        self._place = place
        self._settings = place.settings
        self._lease = claim.lease
        self._job = claim.job
        self._command = command
        self._folder = place.scratch / f"{claim.lease.job_id}-{claim.lease.attempt}-{claim.lease.token[:8]}"
        self._child: Child | None = None
        patience = Patience(self._settings.hung_seconds, self._settings.hung_steps, clock.now())
        self._journal = Journal(place.sessions, claim.lease, patience)
        self._patience = patience
        self._keeper = Keeper(
            place.sessions,
            claim.lease,
            seconds=self._settings.lease_seconds,
            every=self._settings.heartbeat_seconds,
            claimed_at=claimed_at,
            on_lost=self._kill,
        )

    def run(self) -> None:
        with attempt_folder(self._folder):
            try:
                with self._keeper:
                    verdict, tail = self._judged()
                    self._keeper.stop_heartbeat()
                    self._finish(verdict, tail)
            finally:
                self._kill()

    def _judged(self) -> tuple[Verdict, str | None]:
        try:
            with ExitStack() as held:
                data = held.enter_context(dataset_folder(self._place, self._job.dataset_id))
                models = held.enter_context(model_files(self._place, self._job.id))
                write_job(self._folder, self._job, data)
                link_models(self._folder, models)
                fetch_checkpoints(self._place, self._lease, self._folder / "out", self._may_go_on)
                self._may_go_on()
                return self._run_child()
        except Interrupted:
            return Verdict("stopped", "Stopped before the run began.", reason=self._request()), None
        except (DatasetGone, ModelGone, JobError) as error:
            facts = {"code": error.code, "message": error.message, "hint": error.hint}
            return Verdict("failed", error.message, facts, error.code), None
        except LeaseLost:
            raise
        except Exception as error:
            # Storage or database away, disk full: not the user's, so it is tried again elsewhere or later.
            log.exception("job %s, attempt %d broke", self._lease.job_id, self._lease.attempt)
            message = f"The worker could not carry on: {type(error).__name__}: {error}"
            return Verdict("lost", message, reason="worker_trouble"), None

    def _run_child(self) -> tuple[Verdict, str]:
        child = self._child = self._start()
        self._patience.begin(clock.now())
        publisher = Publisher(self._place, self._keeper, self._lease, self._folder)
        try:
            guard = MemoryGuard(self._settings.worker_memory_bytes, child.pid, self._place.memory_group)
            asked, killed, silence, memory = self._follow(child, publisher, guard)
            for line in child.drain():
                self._take(line, publisher)
            code = child.reap()
            memory = memory or guard.ended()
            self._keeper.check()
            if child.dropped_lines:
                self._journal.note(f"{child.dropped_lines} lines came too fast and were dropped.", code="dropped_lines")
            if asked == "cancel":
                publisher.abandon()
            publisher.finish()
            self._write_rest()
        finally:
            child.reap()
            publisher.abandon()
        journal = self._journal
        lost_files = tuple(publisher.failures)
        ended = Ended(code, asked, killed, silence, journal.result, journal.failure, lost_files, memory)
        return judge(ended), child.log_tail()

    def _start(self) -> Child:
        spare = self._place.spare
        taken = spare.take(self._command, self._folder, self._options()) if spare is not None else None
        if taken is not None:
            return taken
        environment = child_environment(os.environ, self._folder, self._settings.worker_threads)
        return Child(self._command, self._folder, environment, self._options())

    def _options(self) -> list[str]:
        given = {"--micro-batch": self._job.micro_batch, "--memory": self._settings.worker_memory_bytes}
        return [f"{name}={value}" for name, value in given.items() if value is not None]

    def _follow(
        self, child: Child, publisher: Publisher, guard: MemoryGuard
    ) -> tuple[Request | None, bool, float | None, int | None]:
        """Listen to the child until it has ended.

        Returns what was asked of it, whether it had to be killed for not heeding that, and if that was why, for how
        long it was silent, and how much memory it might have taken.
        """
        asked: Request | None = None
        kill_at = float("inf")
        killed = False
        silence: float | None = None
        memory: int | None = None
        write_at = clock.now()
        while not child.ended():
            line = child.next_line(LINE_SECONDS)
            if line is not None:
                self._take(line, publisher)
            self._keeper.check()
            now = clock.now()
            if now >= write_at:
                self._write()
                write_at = now + WRITE_SECONDS
            request = self._request()
            if request is not None and asked not in {request, "cancel"}:
                asked = request
                child.ask(request)
                kill_at = now + self._grace(request)
            if asked is None and silence is None and self._patience.is_over(now):
                silence = self._patience.silence(now)
                child.show_stack()
                kill_at = now + STACK_SECONDS
            memory = memory or guard.exceeded()
            if memory is not None:
                child.kill()
            elif now >= kill_at:
                killed = True
                child.kill()
        return asked, killed, silence, memory

    def _request(self) -> Request | None:
        if self._keeper.wanted.cancel:
            return "cancel"
        if self._place.stopping():
            return "preempt"
        return "pause" if self._keeper.wanted.pause else None

    def _grace(self, request: Request) -> float:
        return self._settings.cancel_grace_seconds if request == "cancel" else self._settings.stop_grace_seconds

    def _may_go_on(self) -> None:
        self._keeper.check()
        if self._request() is not None:
            raise Interrupted

    def _take(self, line: bytes, publisher: Publisher) -> None:
        file = self._journal.take(line)
        self._place.device = self._journal.device or self._place.device
        if file is not None:
            publisher.add(file)

    def _write(self) -> None:
        pulse = self._journal.write()
        if pulse is not None:
            self._keeper.hear(pulse)

    def _write_rest(self) -> None:
        self._insist(lambda: self._journal.write() or self._journal.is_empty)

    def _finish(self, verdict: Verdict, tail: str | None) -> None:
        """The one fenced write that ends the attempt; tried again as long as the lease is ours."""
        trace = Trace(verdict.message, tail, verdict.reason, verdict.code)
        smaller = None
        if verdict.reason == "out_of_memory":
            resolved = self._journal.resolved or self._job.resolved
            smaller = smaller_micro_batch(self._job.spec, resolved, self._job.micro_batch)

        def end() -> bool:
            try:
                with self._place.sessions.begin() as session:
                    match verdict.kind:
                        case "failed" if smaller is not None:
                            retries = self._settings.memory_retries
                            attempts.shrink(session, self._lease, smaller, verdict.error or {}, trace, retries)
                        case "succeeded":
                            attempts.succeed(session, self._lease, self._journal.result or {}, trace)
                        case "failed":
                            attempts.fail(session, self._lease, verdict.error or {}, trace)
                        case "stopped":
                            attempts.stop(session, self._lease, trace)
                        case "lost":
                            attempts.lose(session, self._lease, budget_of(self._settings), trace)
            except AWAY as error:
                log.warning("job %s: end not written, trying again: %s", self._lease.job_id, error)
                return False
            return True

        failpoints.reach("before_finish")
        self._insist(end)
        failpoints.reach("finished")

    def _insist(self, action: Callable[[], object]) -> None:
        """Repeat until it succeeds. Raises LeaseLost when the lease does not last so long."""
        while True:
            # Given up here, it may live on in the database for a moment; but what was to be stored was given up, too.
            self._keeper.check()
            if action():
                return
            if self._keeper.seconds_left <= 0:
                raise LeaseLost("the database stayed away")
            time.sleep(WRITE_SECONDS)

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()


def budget_of(settings: Settings) -> Budget:
    """How many losses the settings allow."""
    return Budget(
        settings.loss_budget, settings.poison_losses, settings.backoff_seconds, settings.backoff_limit_seconds
    )

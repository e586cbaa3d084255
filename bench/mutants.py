"""Every predicate that keeps a job with the one who holds it, and what the code is without it.

Also the locks that make a predicate true until the commit, and the checks on the worker's side of a lease.
"""

from dataclasses import dataclass

LEASES, ATTEMPTS, REAPER = "store/leases.py", "store/attempts.py", "store/reaper.py"
CHECKPOINTS, ARTIFACTS, OUTBOX = "store/checkpoints.py", "store/artifacts.py", "store/outbox.py"
JOBS, CHECKS, KEEPER = "store/jobs.py", "store/check_leases.py", "worker/keeper.py"
# The quickest to see something first.
FENCE_TESTS = tuple(
    f"tests/integration/store/test_{name}.py" for name in ("leases", "reaper", "published", "outbox", "turns", "jobs")
)


@dataclass(frozen=True)
class Mutant:
    """In `file` the `nth` occurrence of `code` becomes `instead`; `tests` are those that ought to see it."""

    name: str
    file: str
    code: str
    instead: str
    nth: int = 0
    tests: tuple[str, ...] = FENCE_TESTS


def _without_fence(name: str, file: str, nth: int) -> Mutant:
    return Mutant(f"{name}: fence", file, "fence(session, lease)", "session.get_one(Job, lease.job_id)", nth)


SUPERVISOR = "worker/supervisor.py"
_CHECKS = tuple(
    f"tests/integration/{name}.py" for name in ("store/test_datasets", "store/test_models", "worker/test_checks")
)
_WORKER = tuple(f"tests/integration/worker/test_{name}.py" for name in ("keeper", "failpoints", "supervisor"))

MUTANTS: tuple[Mutant, ...] = (
    # The claim.
    Mutant("claim: state = 'queued'", LEASES, "state = 'queued' AND cancel", "cancel"),
    Mutant("claim: no wish to cancel", LEASES, " AND cancel_requested_at IS NULL", ""),
    Mutant("claim: due", LEASES, " AND available_at <= clock_timestamp()", ""),
    Mutant("claim: row lock", LEASES, "            FOR NO KEY UPDATE OF jobs SKIP LOCKED\n", ""),
    Mutant("claim: pass over locked rows", LEASES, "OF jobs SKIP LOCKED", "OF jobs"),
    Mutant("claim: a number of its own", LEASES, "current_attempt = current_attempt + 1", "current_attempt = 1"),
    # The lease.
    Mutant("lease: job", LEASES, "Attempt.job_id == lease.job_id, ", ""),
    Mutant("lease: attempt number", LEASES, ", Attempt.number == lease.attempt", ""),
    Mutant("lease: token", LEASES, ", Attempt.lease_token == lease.token", ""),
    Mutant("lease: not ended", LEASES, ", Attempt.ended_at.is_(None)", ""),
    Mutant("lease: not expired", LEASES, ", Attempt.lease_expires_at > func.clock_timestamp()", ""),
    Mutant("fence: a live lease", LEASES, " or holds is None", ""),
    Mutant("fence: the current attempt", LEASES, " or job.current_attempt != lease.attempt", ""),
    Mutant("fence: lock of the job", LEASES, "        .with_for_update(key_share=True)\n", "", 0),
    Mutant(
        "fence: lock of the attempt",
        LEASES,
        "    session.execute(select(Attempt.number).where(*own(lease)).with_for_update(key_share=True))\n",
        "",
        1,
    ),
    Mutant(
        "heartbeat: lock before the look at the clock",
        LEASES,
        "    session.execute(select(Attempt.number).where(*own(lease)).with_for_update(key_share=True))\n",
        "",
        0,
    ),
    Mutant(
        "heartbeat: only of a live lease",
        LEASES,
        ".where(*alive(lease))\n        .values",
        ".where(*own(lease))\n        .values",
    ),
    # The fenced writes.
    *(
        _without_fence(name, ATTEMPTS, nth)
        for nth, name in enumerate(("write", "resumed", "succeed", "fail", "stop", "shrink", "lose"))
    ),
    _without_fence("checkpoint", CHECKPOINTS, 0),
    _without_fence("mark_damaged", CHECKPOINTS, 1),
    _without_fence("artifact", ARTIFACTS, 0),
    Mutant("write: each report once", ATTEMPTS, ", Attempt.reports < report.number", ""),
    Mutant("checkpoint: each object once", CHECKPOINTS, "if earlier is not None:", "if False:"),
    Mutant("artifact: each object once", ARTIFACTS, "if published is not None:", "if False:"),
    Mutant("shrink: its budget", ATTEMPTS, "if job.memory_retries >= retries:", "if False:"),
    Mutant("lose: poison", ATTEMPTS, "job.losses_without_checkpoint >= budget.poison", "False"),
    Mutant("lose: budget", ATTEMPTS, "job.losses > budget.losses", "False"),
    Mutant("lose: a wish outlives poison", ATTEMPTS, 'if job.state == "running" and job.losses_w', "if job.losses_w"),
    Mutant(
        "lose: a wish outlives the budget", ATTEMPTS, 'if job.state == "running" and job.losses >', "if job.losses >"
    ),
    # The reaper. That it looks at the current attempt alone follows from there being one live attempt at most.
    Mutant("reaper: expired", REAPER, ", Attempt.lease_expires_at <= func.clock_timestamp()", ""),
    Mutant("reaper: expired, under the lock", REAPER, " or attempt.lease_expires_at > now", ""),
    Mutant("reaper: pass over locked rows", REAPER, ", skip_locked=True", ""),
    Mutant("reaper: lock of the attempt", REAPER, "            .with_for_update(key_share=True)\n", ""),
    # The user.
    Mutant("action: lock of the job", JOBS, "query.with_for_update(key_share=True).execution", "query.execution"),
    Mutant("action: refused where it does not fit", JOBS, "    if state is None:\n", "    if False:\n"),
    Mutant(
        "retry: no wish is left",
        JOBS,
        "job.finished_at = job.cancel_requested_at = job.pause",
        "job.finished_at = job.pause",
    ),
    Mutant("delete: only when over", JOBS, "if not is_terminal(job.state):", "if False:"),
    # Messages.
    Mutant("relay: not published", OUTBOX, "Outbox.published_at.is_(None), ", ""),
    Mutant(
        "relay: due",
        OUTBOX,
        ".where(Outbox.published_at.is_(None), Outbox.available_at <= func.clock_timestamp())",
        ".where(Outbox.published_at.is_(None))",
    ),
    Mutant(
        "relay: pass over locked rows",
        OUTBOX,
        ".with_for_update(skip_locked=True)",
        "",
    ),
    Mutant("announce: queued", OUTBOX, 'Job.state == "queued", ', ""),
    Mutant("announce: announced long ago", OUTBOX, ", last <= before", ""),
    Mutant("announce: due", OUTBOX, "func.greatest(", "func.coalesce("),
    # Checks of uploads, which are leased alike.
    Mutant("check: it waits for one", CHECKS, "            waits(table),\n", "", tests=_CHECKS),
    Mutant(
        "check: nobody is at it",
        CHECKS,
        "            (table.check_expires_at.is_(None)) | (table.check_expires_at <= func.clock_timestamp()),\n",
        "",
        tests=_CHECKS,
    ),
    Mutant("check, renewed: token", CHECKS, "                table.check_token == token,\n", "", tests=_CHECKS),
    Mutant(
        "check, renewed: not expired",
        CHECKS,
        "                table.check_expires_at > func.clock_timestamp(),\n",
        "",
        tests=_CHECKS,
    ),
    Mutant("check, finished: token", CHECKS, "        or row.check_token != token\n", "", tests=_CHECKS),
    Mutant("check, finished: not expired", CHECKS, "        or row.check_expires_at <= now\n", "", tests=_CHECKS),
    # The worker's side.
    Mutant(
        "keeper: the watchdog",
        KEEPER,
        "            if self.seconds_left <= 0:\n",
        "            if False:\n",
        tests=_WORKER,
    ),
    Mutant(
        "keeper: counted from the question",
        KEEPER,
        "asked_at + self._seconds * (1 - MARGIN)",
        "clock.now() + self._seconds * 1.2",
        tests=_WORKER,
    ),
    Mutant(
        "keeper: a refused heartbeat",
        KEEPER,
        "            if pulse is None:\n",
        "            if False and pulse is None:\n",
        tests=_WORKER,
    ),
    Mutant(
        "supervisor: nothing once given up",
        SUPERVISOR,
        "            self._keeper.check()\n            if action():\n",
        "            if action():\n",
        tests=_WORKER,
    ),
)

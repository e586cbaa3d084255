"""What the end of a child means: done, the user's to mend, stopped as asked, or lost."""

import signal
from dataclasses import dataclass, replace
from typing import Literal

from fgfi_core.errors import (
    EXIT_BAD_DATA,
    EXIT_BAD_SPEC,
    EXIT_CANCELLED,
    EXIT_DIVERGED,
    EXIT_OK,
    EXIT_OUT_OF_MEMORY,
    EXIT_PAUSED,
    EXIT_PREEMPTED,
)
from fgfi_core.events import RunFailed
from store.tables.base import Json
from worker.child import Request

# What stands in for the run's own words when it could not say them.
USERS = {
    EXIT_BAD_SPEC: {"code": "bad_spec", "message": "The spec cannot be carried out.", "hint": "See the job's log."},
    EXIT_BAD_DATA: {"code": "bad_data", "message": "The data set cannot be used.", "hint": "See the job's log."},
    EXIT_OUT_OF_MEMORY: {
        "code": "out_of_memory",
        "message": "The device ran out of memory.",
        "hint": "Use a smaller batch_size or image_size.",
    },
    EXIT_DIVERGED: {
        "code": "diverged",
        "message": "The loss stopped being finite.",
        "hint": "Use a smaller learning_rate.",
    },
}
STOPS = {EXIT_CANCELLED, EXIT_PAUSED, EXIT_PREEMPTED}


@dataclass(frozen=True)
class Ended:
    """How a child ended. code: negative for a signal. asked: what we asked of it. killed: we did not wait longer.

    silence: seconds for which it had not said a word when we killed it for that, else None. memory: the bytes that all
    its processes together might take, when it was ended for taking more.
    """

    code: int
    asked: Request | None = None
    killed: bool = False
    silence: float | None = None
    result: Json | None = None
    failure: RunFailed | None = None
    lost_files: tuple[str, ...] = ()
    memory: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What to write. error: {code, message, hint} of a failure. reason: why, in a word for programs."""

    kind: Literal["succeeded", "failed", "stopped", "lost"]
    message: str
    error: Json | None = None
    reason: str | None = None
    code: int | None = None


def judge(ended: Ended) -> Verdict:
    """Tell what an end means; every case is in this one place."""
    verdict = _ended_by_us(ended) or _ended_by_itself(ended)
    return replace(verdict, code=ended.code)


def _ended_by_us(ended: Ended) -> Verdict | None:
    if ended.asked is not None and (ended.killed or ended.asked == "cancel" or ended.code in STOPS):
        return Verdict("stopped", f"Stopped as asked ({ended.asked}).", reason=ended.asked)
    if ended.memory is not None:
        message = f"The run took more than the {ended.memory / 2**30:.1f} GiB of memory that this worker gives to one."
        hint = (
            "Use a smaller schedule.batch_size, schedule.image_size or resources.loader_workers, or let the operator "
            "raise FGFI_WORKER_MEMORY_BYTES."
        )
        error = {"code": "out_of_memory", "message": message, "hint": hint}
        return Verdict("failed", message, error, "out_of_memory")
    if ended.silence is not None:
        message = f"The run was silent for {ended.silence / 60:.0f} minutes and was ended."
        return Verdict("lost", message, reason="hung")
    return None


def _ended_by_itself(ended: Ended) -> Verdict:
    if ended.code == EXIT_PREEMPTED:
        return Verdict("stopped", "The run was asked to stop and wrote a checkpoint.", reason="preempt")
    if ended.code in USERS:
        error = USERS[ended.code]
        if ended.failure is not None:
            error = ended.failure.model_dump(include={"code", "message", "hint"})
        reason = "out_of_memory" if ended.code == EXIT_OUT_OF_MEMORY else error["code"]
        return Verdict("failed", error["message"], error, reason)
    if ended.code == EXIT_OK and ended.result is not None:
        if ended.lost_files:
            return Verdict("lost", f"The run is done, but {'; '.join(ended.lost_files)}", reason="not_stored")
        return Verdict("succeeded", "The run is done.")
    return Verdict("lost", _loss(ended), reason="died")


def _loss(ended: Ended) -> str:
    if ended.failure is not None:
        return f"{ended.failure.message} {ended.failure.hint}".strip()
    if ended.code == EXIT_OK:
        return "The run ended without a result."
    if ended.code < 0:
        name = signal.Signals(-ended.code).name if -ended.code in set(signal.Signals) else str(-ended.code)
        memory = ", perhaps because memory ran out" if name == "SIGKILL" else ""
        return f"The run was ended by {name}{memory}."
    return f"The run ended with exit code {ended.code}."

"""Errors of the science: each says what happened, to what and what to do, and carries the child's exit code.

Exit codes are the contract between `worker/runner.py` and `worker/supervisor.py`: a code listed here is the user's or
the operator's to mend, anything else is an infrastructure loss and is retried.
"""

EXIT_OK = 0
EXIT_CANCELLED = 10
EXIT_PAUSED = 11
EXIT_BAD_SPEC = 20
EXIT_BAD_DATA = 21
EXIT_OUT_OF_MEMORY = 22
EXIT_DIVERGED = 23
EXIT_PREEMPTED = 30


class JobError(Exception):
    """A job cannot go on. `code` is stable and machine-readable; `hint` says what to do about it."""

    code = "job_error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadSpec(JobError):
    """The spec asks for something that cannot be done; names the field."""

    code = "bad_spec"
    exit_code = EXIT_BAD_SPEC


class WeightsUnavailable(BadSpec):
    """Weights to begin with are not at hand: no network, no file, or the file is another one."""

    code = "weights_unavailable"


class BadData(JobError):
    """The data set cannot be used as it is; names the file and, where there is one, the line."""

    code = "bad_data"
    exit_code = EXIT_BAD_DATA


class OutOfMemory(JobError):
    """The device ran out of memory in a training step."""

    code = "out_of_memory"
    exit_code = EXIT_OUT_OF_MEMORY


class Diverged(JobError):
    """The loss stopped being finite."""

    code = "diverged"
    exit_code = EXIT_DIVERGED


class Stopped(JobError):
    """The caller asked the run to stop; a checkpoint was written, the run can be continued."""

    code = "stopped"
    exit_code = EXIT_PREEMPTED

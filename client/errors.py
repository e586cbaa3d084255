"""What can go wrong for a person at the command line, and the exit code that scripts see.

| code | meaning |
|---|---|
| 0 | done |
| 1 | the service could not be started, or something failed that has no code of its own |
| 2 | the command line, a file or a spec is wrong |
| 3 | the service refused the request |
| 4 | the service cannot be reached |
| 5 | the API key is missing, wrong or not allowed to do this |
| 6 | the job failed, or the data set was rejected |
| 7 | the job was cancelled |
| 130 | stopped by Ctrl-C |
"""

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_REFUSED = 3
EXIT_UNREACHABLE = 4
EXIT_NOT_ALLOWED = 5
EXIT_JOB_FAILED = 6
EXIT_JOB_CANCELLED = 7
EXIT_INTERRUPTED = 130


class ClientError(Exception):
    """One clear message; `hints` say what to do, one line each; `code` is the service's stable code when it has one."""

    def __init__(
        self, message: str, *, hints: tuple[str, ...] = (), exit_code: int = EXIT_FAILURE, code: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hints = hints
        self.exit_code = exit_code
        self.code = code

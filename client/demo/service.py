"""A service of the demo's own: `fgfi up` as a child, on a free port, ended with the demo."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from client.commands.up import stack_missing
from client.connection import Connection, of_local_stack, serving_process
from client.errors import ClientError
from client.sdk import Fgfi

_START_SECONDS = 180.0
_STOP_SECONDS = 90.0
_POLL_SECONDS = 0.1


@contextmanager
def running(data: Path, log: Path) -> Iterator[Fgfi]:
    """Start the stack in `data`, its output into `log`; stopped at the end of the block. Raises ClientError."""
    try:
        # On demand: only here and in `fgfi up` does the command line need the stack.
        from embedded.processes import Part  # noqa: PLC0415
    except ImportError as error:
        raise stack_missing(error) from error
    up = Part.python("fgfi up", "client", "up", "--data", str(data), "--port", "0")
    environment = {k: v for k, v in os.environ.items() if k not in {"FGFI_URL", "FGFI_API_KEY", "FGFI_PUBLIC_URL"}}
    with log.open("wb") as output:
        process = subprocess.Popen(
            up.launch_command(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, **up.environment},
            # Ctrl-C is ours to pass on, in order.
            start_new_session=True,
        )
        try:
            with Fgfi.of(_wait(process, data, log)) as service:
                yield service
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], data: Path, log: Path) -> Connection:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        # Not the file of an earlier run that was killed.
        if serving_process(data) == process.pid and (found := of_local_stack(data)):
            return found
        if process.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines()
            message = lines[-1].removeprefix("fgfi: ") if lines else "it said nothing"
            raise ClientError(f"the service did not start: {message}", hints=(f"its log: {log}",))
        if time.monotonic() > deadline:
            raise ClientError(f"the service did not start within {_START_SECONDS:.0f} s", hints=(f"its log: {log}",))
        time.sleep(_POLL_SECONDS)

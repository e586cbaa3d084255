"""The training child: a fresh process in a session of its own, that speaks JSON lines on a pipe.

The control pipe carries one word to it: cancel, pause or preempt (and to a spare, first of all, what to work on). Its
end tells the child that we are gone.
"""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from worker.output import Lines, Tail

Request = Literal["cancel", "pause", "preempt"]

LONGEST_LINE = 16 * 2**20


class Child:
    """Starts the command with `folder --events-fd N --control-fd N --parent PID` and the options added.

    Start it from the thread that stays until it has ended: Linux ends the child with that thread.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], options: Sequence[str] = ()
    ) -> None:
        # Kill and reap exclude each other: a number that was reaped may belong to a stranger.
        self._lock = threading.Lock()
        self._reaped = False
        events_read, events_write = os.pipe()
        output_read, output_write = os.pipe()
        control_read, self._control = os.pipe()
        os.set_blocking(self._control, False)
        try:
            self._process = subprocess.Popen(
                [
                    *command,
                    str(folder),
                    f"--events-fd={events_write}",
                    f"--control-fd={control_read}",
                    f"--parent={os.getpid()}",
                    *options,
                ],
                pass_fds=(events_write, control_read),
                stdin=subprocess.DEVNULL,
                stdout=output_write,
                stderr=output_write,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        except BaseException:
            for descriptor in (events_read, output_read, self._control):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (events_write, output_write, control_read):
                os.close(descriptor)
        self._output = Tail(output_read)
        self._lines = Lines()
        self._reader = threading.Thread(target=self._read, args=(events_read,), name="events of the child", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Also the id of its process group."""
        return self._process.pid

    def begin(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Tell a spare what to work on. One that has just died does not mind."""
        with suppress(OSError):
            os.write(self._control, f"{json.dumps([str(folder), *options])}\n".encode())

    def ask(self, request: Request) -> None:
        """Ask it to stop in order; a child that is gone does not mind."""
        with suppress(OSError):
            os.write(self._control, f"{request}\n".encode())

    def kill(self) -> None:
        """End it and all it started, at once. May be called from any thread and at any time."""
        with self._lock:
            if not self._reaped:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def show_stack(self) -> None:
        """Ask it to print where it is, in every thread: into its output. It may be too far gone for that."""
        with self._lock:
            if not self._reaped:
                self._process.send_signal(signal.SIGUSR1)

    def next_line(self, timeout: float) -> bytes | None:
        """The next line it wrote; None when none came in time (seconds)."""
        return self._lines.get(timeout)

    @property
    def dropped_lines(self) -> int:
        """How many lines nobody took in time."""
        return self._lines.dropped

    def ended(self) -> bool:
        """Whether its process has ended (its lines may not all be read yet). Ends what it left behind in its group."""
        if self._reaped:
            return True
        if not _exited(self._process):
            return False
        self.kill()
        return True

    def drain(self) -> list[bytes]:
        """All lines left, once it has ended."""
        # The pipe ends with the last of its group, which `ended` saw to; the bound is for what escaped the group.
        return self._lines.rest(timeout=5.0)

    def reap(self) -> int:
        """Its exit code, negative for a signal. Kills it when it still runs."""
        self.kill()
        with self._lock:
            code = self._process.wait()
            self._reaped = True
        with suppress(OSError):
            os.close(self._control)
            self._control = -1
        return code

    def log_tail(self) -> str:
        """The last of what it printed, once it has ended."""
        return self._output.text()

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as pipe:
            while line := pipe.readline(LONGEST_LINE):
                # A line without its end was cut off by death, or is too long to be one of ours.
                if line.endswith(b"\n"):
                    self._lines.put(line)
        self._lines.end()


def _exited(process: subprocess.Popen[bytes]) -> bool:
    """Look, without reaping: until then the number, which also names the group, is given to nobody else."""
    if not hasattr(os, "waitid"):  # macOS
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

"""Being asked to stop, by a signal. Safe inside a signal's handler: no lock is taken there."""

import os
import select
import signal


class Stopping:
    """Becomes true once; waiting for it wakes at once."""

    def __init__(self) -> None:
        self.requested = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def __call__(self) -> bool:
        """Whether somebody asked to stop."""
        return self.requested

    def request(self) -> None:
        """Ask to stop. A `threading.Event` would not do: its lock may be held by the very code a signal interrupts."""
        if not self.requested:
            self.requested = True
            os.write(self._write, b".")

    def wait(self, seconds: float) -> bool:
        """Sleep for so long, or until somebody asks to stop. Returns whether somebody did."""
        if not self.requested:
            select.select([self._read], [], [], seconds)
        return self.requested

    def on_signals(self) -> None:
        """Take SIGTERM and SIGINT as the request."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.request())

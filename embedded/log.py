"""One log for all parts: each line behind the coloured name of the part it came from."""

import re
import sys
import threading
from typing import TextIO

# ANSI colours that are readable on light and dark ground.
_COLOURS = {"fgfi": 36, "postgres": 34, "redis": 31, "api": 32, "steward": 35, "checker": 33, "worker": 33}
_WIDTH = max(map(len, _COLOURS))
# Escape sequences and other controls: a part's output must not steer the terminal.
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class Log:
    """Writes whole lines from several threads."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty()
        self._lock = threading.Lock()

    def __call__(self, part: str, line: str) -> None:
        """Write one line of a part; plain when nobody watches."""
        prefix = f"{part:<{_WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{_COLOURS.get(part, 37)}m{prefix}\x1b[0m"
        with self._lock:
            try:
                self._stream.write(f"{prefix} {_CONTROLS.sub('', line)}\n")
                self._stream.flush()
            except (OSError, ValueError):
                # The reader of our log is gone (`fgfi up | head`). The stack goes on; there is nobody to tell.
                return

"""Ending open streams when the process is told to stop: a server waits for its open answers, and these never end."""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def on_stop(action: Callable[[], None]) -> None:
    """Also do `action` in this event loop when the server's own handler of SIGTERM or SIGINT is called.

    Without effect where the server does not run in the main thread, and so handles no signal.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        server = signal.getsignal(number)
        if callable(server):
            signal.signal(number, _both(loop, action, server))


def _both(
    loop: asyncio.AbstractEventLoop, action: Callable[[], None], server: Callable[[int, FrameType | None], object]
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(action)
        server(number, frame)

    return handle

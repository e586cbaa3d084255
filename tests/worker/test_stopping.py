import os
import signal
import threading
import time

from worker.stopping import Stopping


def test_a_wait_ends_at_once_when_asked() -> None:
    stopping = Stopping()
    threading.Timer(0.05, stopping.request).start()
    started = time.monotonic()
    assert stopping.wait(30)
    assert time.monotonic() - started < 10


def test_nobody_asked() -> None:
    assert not Stopping().wait(0)


def test_asking_twice_is_fine() -> None:
    stopping = Stopping()
    stopping.request()
    stopping.request()
    assert stopping()
    assert stopping.wait(0)


def test_sigterm_is_a_request() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stopping = Stopping()
    try:
        stopping.on_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.wait(10)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

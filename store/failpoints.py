"""Named places where a test may stop, break or end a process. In production each is one look at an empty dictionary.

A test arms one with an action: a barrier to wait at, an exception to raise, `os._exit`. No setting and no variable of
the environment can.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

Name = Literal[
    "claimed",  # A job is taken and committed; nothing was done for it yet.
    "before_heartbeat",
    "after_heartbeat",
    "mid_upload",  # A chunk went to the object store; the object is not there yet.
    "uploaded",  # The object is there, its row is not.
    "before_finish",  # The child has ended well and all is stored; the job does not know.
    "finished",  # And now it does.
    "before_publish",  # A message is taken from the outbox, not sent.
    "published",  # It is sent, not marked.
    "webhook_sent",  # A receiver has a message, and nobody knows yet.
]
NAMES: tuple[Name, ...] = get_args(Name)

_armed: dict[str, Callable[[], None]] = {}


def reach(name: Name) -> None:
    """Do what a test wants done here: nothing, unless one armed it."""
    if _armed and (action := _armed.get(name)) is not None:
        action()


@contextmanager
def armed(name: Name, action: Callable[[], None]) -> Iterator[None]:
    """Let an action be done at a failpoint, each time it is reached, for the length of a block."""
    _armed[name] = action
    try:
        yield
    finally:
        del _armed[name]


def arm(name: Name, action: Callable[[], None]) -> None:
    """The same for the rest of a process's life."""
    _armed[name] = action

"""A part of the service as it is, started with something in its way.

python -m tests.chaos.part api PORT | steward | worker NAME

| variable | what is wrong |
|---|---|
| CHAOS_STORE | a file that says how the object store fails (`faulty_store.py`) |
| CHAOS_TWICE | every message is sent twice |
| CHAOS_CLOCK | this machine's clocks are so many seconds off |
| CHAOS_HOST | nothing: the address that the API listens on |
| CHAOS_EXIT_AT | the process ends at this failpoint, without a word |

Nothing of it is in the product: it is put around it here, in the process.
"""

import os
import sys
import time
from pathlib import Path
from typing import cast

CHILD = str(Path(__file__).with_name("child.py"))


def shift_clocks(seconds: float) -> None:
    """Let both of this process's clocks be off, the one of the wall and the one that deadlines are told by."""
    from worker import clock  # noqa: PLC0415

    wall, steady = time.time, clock.now
    time.time = lambda: wall() + seconds
    clock.now = lambda: steady() + seconds


def break_store(switch: Path) -> None:
    """Let every store that is opened from now on be a faulty one."""
    from store import objects  # noqa: PLC0415
    from tests.chaos.faulty_store import FaultyStore  # noqa: PLC0415

    opened = objects.open_store
    vars(objects)["open_store"] = lambda url: FaultyStore(opened(url), switch)


def exit_at(name: str) -> None:
    """End at a failpoint."""
    from store import failpoints  # noqa: PLC0415

    failpoints.arm(cast("failpoints.Name", name), lambda: os._exit(137))


def send_twice() -> None:
    """Let each message be sent twice."""
    from worker import app  # noqa: PLC0415

    once = app.publish

    def twice(kind: app.Kind, subject_id: str, queue: str | None = None) -> None:
        once(kind, subject_id, queue)
        once(kind, subject_id, queue)

    app.publish = twice


def main() -> None:
    """Put the faults around the part, and run it."""
    part, *words = sys.argv[1:]
    # First of all: what is imported later takes what it finds then.
    if seconds := os.environ.get("CHAOS_CLOCK"):
        shift_clocks(float(seconds))
    if switch := os.environ.get("CHAOS_STORE"):
        break_store(Path(switch))
    if name := os.environ.get("CHAOS_EXIT_AT"):
        exit_at(name)
    if os.environ.get("CHAOS_TWICE"):
        send_twice()
    if part == "api":
        run_api(int(words[0]))
    elif part == "steward":
        run_steward()
    else:
        run_worker(words[0])


def run_api(port: int) -> None:
    import uvicorn  # noqa: PLC0415

    grace = 2
    uvicorn.run(
        "api.main:create_app",
        factory=True,
        host=os.environ.get("CHAOS_HOST", "127.0.0.1"),
        port=port,
        access_log=False,
        timeout_graceful_shutdown=grace,
    )


def run_steward() -> None:
    from worker import steward  # noqa: PLC0415

    steward.main()


def run_worker(name: str) -> None:
    from worker import app, turn  # noqa: PLC0415

    defaults = turn.take_turn.__kwdefaults__
    if defaults is None:
        raise TypeError("take_turn has no keyword of its own any more: how is a child chosen?")
    defaults["command"] = (sys.executable, CHILD)
    queues = os.environ.get("CHAOS_QUEUES", "jobs,datasets")
    without = ("--without-gossip", "--without-mingle")
    app.app.worker_main(["worker", f"--queues={queues}", f"--hostname={name}@%h", "--loglevel=INFO", *without])


if __name__ == "__main__":
    main()

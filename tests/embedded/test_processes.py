import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from embedded.errors import StackError
from embedded.processes import Part, Process

ROOT = Path(__file__).resolve().parents[2]
# Ends only when it is killed: the asking is heard and left unanswered.
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)"
)
WITH_CHILD = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(child.pid, flush=True)\ntime.sleep(600)"
)


def python(code: str, **settings: float) -> Part:
    return Part("part", (sys.executable, "-c", code), **settings)  # type: ignore[arg-type]  # grace is its only number


def started(process: Process) -> str:
    """Its first line."""
    process.wait_ready(lambda: bool(process.last_lines), 30.0)
    return process.last_lines[0]


def test_its_output_comes_line_by_line_with_its_name() -> None:
    lines: list[tuple[str, str]] = []
    process = Process(python("print('one'); print('two')"), lambda part, line: lines.append((part, line)))

    with pytest.raises(StackError):
        process.wait_ready(lambda: False, 30.0)

    assert lines == [("part", "one"), ("part", "two")]


def test_one_that_ends_while_starting_is_told_with_its_last_words() -> None:
    process = Process(python("import sys; print('no such table'); sys.exit(3)"))

    with pytest.raises(StackError, match=r"part ended while starting \(exit 3\): no such table"):
        process.wait_ready(lambda: False, 30.0)


def test_one_that_never_gets_ready_is_told() -> None:
    process = Process(python(STUBBORN))
    try:
        with pytest.raises(StackError, match="did not get ready within 0 s"):
            process.wait_ready(lambda: False, 0.1)
    finally:
        process.kill()


def test_one_that_does_not_stop_is_killed_after_its_grace() -> None:
    process = Process(python(STUBBORN, grace=0.2))
    assert started(process) == "up"

    process.stop()

    assert process.exit_code() == -signal.SIGKILL


def test_stopping_one_leaves_nothing_of_its_group() -> None:
    process = Process(python(WITH_CHILD, grace=5))
    assert int(started(process)) != process.pid

    process.stop()

    # The pipe ends when the last process that holds it has ended: the child, too.
    process._reader.join(timeout=30)
    assert not process._reader.is_alive()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_one_ends_when_its_parent_is_killed() -> None:
    code = (
        "import sys, time\nfrom embedded.processes import Part, Process\n"
        "process = Process(Part('part', (sys.executable, '-c', 'import time; time.sleep(600)')))\n"
        "print(process.pid, flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        part = psutil.Process(int(parent.stdout.readline()))

        parent.kill()

        part.wait(timeout=30)
    assert not part.is_running()


def test_a_part_does_not_start_for_a_parent_that_is_gone() -> None:
    command = python("print(6 * 7)").launch_command()
    # Another process than the one it was made for starts it.
    code = f"import subprocess; print(subprocess.run({command!r}, capture_output=True, text=True))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert f"the parent {os.getpid()} is gone" in done.stdout
    assert "42" not in done.stdout

"""The entry point of a run's further processes: `python -m fgfi_core.training.rank FOLDER --parent PID`.

FOLDER holds `work.json`, and gets `error-<rank>.json` when it cannot go on. It ends with the process that started it,
of which its standard input is a sign of life.
"""

import argparse
import ctypes
import faulthandler
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from fgfi_core.errors import JobError, OutOfMemory, Stopped
from fgfi_core.training.ranks import Work, tell
from fgfi_core.training.run import run

EXIT_BROKEN = 1
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Take part in a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parent", type=int, required=True)
    given = parser.parse_args()
    _end_with(given.parent)
    faulthandler.enable()
    # The first process decides when the run stops.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os._exit(_take_part(given.folder))


def _take_part(folder: Path) -> int:
    work = Work.read(folder / "work.json")
    try:
        run(work.spec, work.data_dir, work.out_dir, lambda _: None, weights=work.weights)
    except Stopped:
        return 0  # As the first process does.
    except JobError as error:
        tell(error, folder, int(os.environ["RANK"]))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - whatever it is ends the run, with its trace in the log
        traceback.print_exc()
        sys.stderr.flush()
        if not isinstance(error, MemoryError) and "DefaultCPUAllocator" not in str(error):
            return EXIT_BROKEN
        hint = "Set a smaller schedule.micro_batch, schedule.batch_size or schedule.image_size."
        tell(OutOfMemory(f"memory ran out: {error}", hint=hint), folder, int(os.environ["RANK"]))
        return OutOfMemory.exit_code
    return 0


def _end_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=watch, name="the first process", daemon=True).start()


if __name__ == "__main__":
    main()

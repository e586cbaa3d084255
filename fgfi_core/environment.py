"""What a training process needs in its environment before it starts: too late once it runs. Imports no torch."""

import importlib.util
import os
import sys
from pathlib import Path


def training_environment(threads: int | None = None) -> dict[str, str]:
    """Variables to start a training process with.

    threads: of the numerical libraries; None is one per core this process may use. More busy threads than cores make
    training several times slower. The allocator: glibc's hands memory back between steps and takes it again; with
    mimalloc, told to keep it, a step on a CPU takes about two thirds of the time. One that is preloaded already stays.
    """
    count = str(threads or allowed_cores())
    variables = {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count}
    library = _mimalloc()
    if library is not None and not os.environ.get("LD_PRELOAD"):
        variables |= {"LD_PRELOAD": str(library), "MIMALLOC_PURGE_DELAY": "-1"}
    return variables


def _mimalloc() -> Path | None:
    if sys.platform != "linux":
        return None
    spec = importlib.util.find_spec("cmeel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        library = Path(folder).parent / "cmeel.prefix" / "lib" / "libmimalloc.so"
        if library.is_file():
            return library
    return None


def allowed_cores() -> int:
    """Cores this process may use, which in a container or under taskset are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""What a training process needs in its environment before it starts: too late once it runs. Imports no torch."""

import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

THREADS = "OMP_NUM_THREADS"


def training_environment(threads: int | None = None, parent: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables to start a training process with, to be laid over those of `parent`.

    threads: of the numerical libraries; None takes the parent's OMP_NUM_THREADS, else one per core this process may
    use. More busy threads than cores make training several times slower. The allocator: glibc's hands memory back
    between steps and takes it again; with mimalloc, told to keep it, a step on a CPU takes about two thirds of the
    time. An allocator that the parent preloads stays.
    """
    count = str(threads) if threads is not None else parent.get(THREADS, str(allowed_cores()))
    variables = {THREADS: count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count}
    library = mimalloc()
    if library is not None and not parent.get("LD_PRELOAD"):
        variables |= {"LD_PRELOAD": str(library), "MIMALLOC_PURGE_DELAY": "-1"}
    return variables


def mimalloc() -> Path | None:
    """The allocator's library, where its wheel is installed."""
    try:
        listed = files("cmeel-mimalloc") or []
    except PackageNotFoundError:
        return None
    for file in listed:
        if file.name == "libmimalloc.so":
            path = Path(str(file.locate())).resolve()
            return path if path.is_file() else None
    return None


def wanted_threads() -> int:
    """Threads a training should use here: as the environment says, else one per core."""
    asked = os.environ.get(THREADS, "")
    return int(asked) if asked.isdecimal() and int(asked) > 0 else allowed_cores()


def allowed_cores() -> int:
    """Cores this process may use, which in a container or under taskset are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

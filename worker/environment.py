"""The environment of a training child: no credentials, a set number of threads, a fast allocator."""

import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

# What a program needs to run at all, and what says which devices it may use. Everything else stays behind, first of
# all the FGFI_ and AWS_ variables with passwords in them.
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SYSTEMROOT", "VIRTUAL_ENV")
_KEPT_FAMILIES = ("CUDA_", "NVIDIA_", "NCCL_", "TORCH_", "PYTORCH_", "OMP_", "MKL_", "KMP_")


def child_environment(parent: Mapping[str, str], folder: Path, threads: int | None) -> dict[str, str]:
    """The whole environment of a child that works in `folder`."""
    kept = {name: value for name, value in parent.items() if name in _KEPT or name.startswith(_KEPT_FAMILIES)}
    made = {
        "HOME": str(folder),
        "MPLCONFIGDIR": str(folder),
        "XDG_CACHE_HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "OMP_NUM_THREADS": str(threads) if threads is not None else kept.get("OMP_NUM_THREADS", str(_cpus())),
    }
    library = mimalloc()
    if library is not None:
        # Training allocates and frees the same large blocks each step: giving them back to the system between steps
        # costs half of the time on a CPU.
        made |= {"LD_PRELOAD": str(library), "MIMALLOC_PURGE_DELAY": "-1"}
    return kept | made


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


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

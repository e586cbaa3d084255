"""The environment of a training child: no credentials, a set number of threads, a fast allocator."""

from collections.abc import Mapping
from pathlib import Path

from fgfi_core.environment import training_environment

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
    }
    return kept | made | training_environment(threads, kept)

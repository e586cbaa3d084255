"""The program, its packages and the machine, as they are now."""

import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

import torch

from fgfi_core.bundle.record import Code, Environment

PACKAGE = "fgfi-service"
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10


def code() -> Code:
    """The version that is installed, and the commit where this is a checkout."""
    try:
        installed = version(PACKAGE)
    except PackageNotFoundError:
        installed = "unknown"
    commit = _git("rev-parse", "HEAD") if (ROOT / ".git").exists() else None
    status = _git("status", "--porcelain", "--untracked-files=no") if commit else None
    return Code(package=PACKAGE, version=installed, commit=commit, changed=None if status is None else bool(status))


def packages() -> dict[str, str]:
    """Every package that is installed."""
    # A folder that a broken installation left behind has no name.
    found = {name: one.version for one in distributions() if (name := one.metadata["Name"])}
    return {name: found[name] for name in sorted(found, key=str.lower)}


def environment(device: str, threads: int) -> Environment:
    """The machine. device: what computes, in words. threads: of the CPU side."""
    build = {
        "version": torch.__version__,
        "config": torch.__config__.show(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }
    if device.startswith("cuda"):
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]  # torch publishes no type for it
        build |= {"cuda": str(torch.version.cuda), "cudnn": str(cudnn)}
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        machine=platform.machine(),
        processor=_processor(),
        device=device,
        threads=threads,
        torch=build,
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _git(*words: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-C", str(ROOT), *words], capture_output=True, text=True, check=True, timeout=SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

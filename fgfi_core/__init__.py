"""The science of fine-grained feature imitation: a job from a folder to a folder. Knows no web, queue or database."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fgfi_core.training.run import run

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    # Loaded on demand: `fgfi_core.spec` must stay importable where torch is not installed (the API).
    if name == "run":
        from fgfi_core.training.run import run  # noqa: PLC0415 - on demand, see above

        return run
    raise AttributeError(f"module 'fgfi_core' has no attribute '{name}'")

"""Checkpoints of a run: complete, on disk before they are named, and read without running code from them.

`checkpoints/<stage>-<seed>/step-000000120.pt` is a state to continue from, `final.pt` the result of a finished stage.
"""

import hashlib
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fgfi_core.atomic import replacing
from fgfi_core.errors import JobError
from fgfi_core.events import CheckpointSaved
from fgfi_core.spec import Stage
from fgfi_core.spec.workload import KEPT_STATES

# Hears of files that cannot be read, by their path inside the output folder.
OnDamage = Callable[[str], None]


class CheckpointNotWritten(JobError):
    """The disk did not take a checkpoint. Not the user's to mend: the job is tried again from the one before."""

    code = "checkpoint_not_written"


@dataclass(frozen=True)
class CheckpointFolder:
    """The checkpoints of one stage and seed inside a run's output folder."""

    out_dir: Path
    stage: Stage
    seed: int

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.out_dir / "checkpoints" / f"{self.stage}-{self.seed}"

    def save_step(self, step: int, state: Mapping[str, Any]) -> CheckpointSaved:
        """Write a state to continue from and drop all others but the newest before it.

        Raises CheckpointNotWritten, with what the disk said; then those before are as they were.
        """
        path = self.folder / f"step-{step:09d}.pt"
        saved = self._save(path, step, state, final=False)
        steps = self._steps()
        # Those of later steps were damaged, or the run would have gone on from them.
        kept = [one for one in steps if one <= path][:KEPT_STATES]
        for other in set(steps) - set(kept):
            other.unlink(missing_ok=True)
        return saved

    def save_final(self, step: int, state: Mapping[str, Any]) -> CheckpointSaved:
        """Write the finished stage's result and drop the states it makes needless. Raises as `save_step`."""
        saved = self._save(self.folder / "final.pt", step, state, final=True)
        for old in self._steps():
            old.unlink(missing_ok=True)
        return saved

    def load_final(self, on_damage: OnDamage) -> dict[str, Any] | None:
        """The finished stage's result, or None when the stage is not finished or the file is damaged."""
        path = self.folder / "final.pt"
        return self._load(path, on_damage) if path.exists() else None

    def load_newest_step(self, on_damage: OnDamage) -> dict[str, Any] | None:
        """The newest state that can be read whole; a damaged file costs one interval, not the job."""
        for path in self._steps():
            state = self._load(path, on_damage)
            if state is not None:
                return state
        return None

    def _steps(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"), reverse=True)

    def _save(self, path: Path, step: int, state: Mapping[str, Any], *, final: bool) -> CheckpointSaved:
        name = path.relative_to(self.out_dir).as_posix()
        try:
            with replacing(path) as draft, draft.open("wb") as file:
                torch.save(dict(state), file)
            return describe(self.out_dir, name, stage=self.stage, seed=self.seed, step=step, final=final)
        except (OSError, RuntimeError) as error:
            cause = _of_the_disk(error)
            if cause is None:
                raise
            raise CheckpointNotWritten(
                f"{name} could not be written: {cause.strerror or cause}.",
                hint="Make room on the disk, or mend it; the run goes on from the checkpoint before.",
            ) from error

    def _load(self, path: Path, on_damage: OnDamage) -> dict[str, Any] | None:
        state = _read(path)
        if state is None:
            on_damage(path.relative_to(self.out_dir).as_posix())
        return state


def describe(
    out_dir: Path, path: str, *, stage: Stage, seed: int, step: int = 0, final: bool = True
) -> CheckpointSaved:
    """The event that names a finished file of the run; path: relative to `out_dir`."""
    with (out_dir / path).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = (out_dir / path).stat().st_size
    return CheckpointSaved(stage=stage, seed=seed, step=step, final=final, path=path, size=size, sha256=sha256)


def _read(path: Path) -> dict[str, Any] | None:
    """What a file holds; None when it is damaged."""
    try:
        # torch skips the checksums of the archive that its files are: a flipped bit would become a weight.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        # weights_only: a checkpoint comes back from an object store and must not be able to run code.
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a torn file raises any of a dozen types; all mean "use the one before"
        return None
    return state


def _of_the_disk(error: BaseException) -> OSError | None:
    """The error of the disk behind one that torch made of it; None when it is another."""
    behind: BaseException | None = error
    while behind is not None and not isinstance(behind, OSError):
        behind = behind.__context__
    return behind


def random_state() -> dict[str, Any]:
    """The state of every random generator a step may draw from."""
    # Libraries draw from the global generator. A dict of lists, since a checkpoint holds no numpy objects.
    numpy_state: dict[str, Any] = np.random.get_state(legacy=False)  # noqa: NPY002
    key = numpy_state["state"]["key"].tolist()
    return {
        "python": random.getstate(),
        "numpy": {**numpy_state, "state": {**numpy_state["state"], "key": key}},
        "torch": torch.get_rng_state(),
        "cuda": [torch.cuda.get_rng_state()] if torch.cuda.is_available() else [],
    }


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Put back what `random_state` took; a state from a machine with other devices restores what it can."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    numpy_state = state["numpy"]
    key = np.array(numpy_state["state"]["key"], dtype=np.uint32)
    np.random.set_state({**numpy_state, "state": {**numpy_state["state"], "key": key}})  # noqa: NPY002 - as above
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and state["cuda"]:
        # A run computes on one device, and each of several processes on one that is like the first's.
        torch.cuda.set_rng_state(state["cuda"][0])


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Whatever is drawn inside is not drawn as seen from outside."""
    state = random_state()
    try:
        yield
    finally:
        restore_random_state(state)


def seed_all(seed: int) -> None:
    """Start every generator from one seed."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - as above
    torch.manual_seed(seed)

"""Checkpoints beside the training: the loop waits for a copy of its state, and a thread brings it to disk."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from torch import Tensor

from fgfi_core.events import CheckpointSaved
from fgfi_core.training.checkpoint import CheckpointFolder


class Beside:
    """Writes the states of one training, one at a time; a block of it ends when all is written.

    Events and errors of the thread are handed out by `finished`, in the caller's own thread.
    """

    def __init__(self, checkpoints: CheckpointFolder) -> None:
        self._checkpoints = checkpoints
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._written: Future[CheckpointSaved] | None = None

    def begin(self, step: int, state: Mapping[str, Any]) -> None:
        """Write a state that nobody changes any more (see `copied`); the one before must have been handed out."""
        if self._written is not None:
            raise RuntimeError("the checkpoint before was not asked for")
        self._written = self._thread.submit(self._checkpoints.save_step, step, state)

    def finished(self, *, wait: bool) -> CheckpointSaved | None:
        """The event of what was begun, once. None: there is nothing, or without `wait`, it is not on disk yet.

        Raises CheckpointNotWritten.
        """
        if self._written is None or not (wait or self._written.done()):
            return None
        written, self._written = self._written, None
        return written.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True)


def copied(value: Any) -> Any:
    """A state dictionary's dicts, lists, tuples and tensors anew, the tensors in the host's memory."""
    match value:
        case Tensor():
            return value.detach().to("cpu", copy=True)
        case dict():
            return {key: copied(one) for key, one in value.items()}
        case list() | tuple():
            return type(value)(copied(one) for one in value)
    return value

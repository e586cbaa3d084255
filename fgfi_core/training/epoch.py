"""The batches of an epoch, of which a training that goes on within it draws the same random numbers."""

from collections.abc import Iterator

from fgfi_core.data.loader import Batch, TrainLoader
from fgfi_core.training.checkpoint import kept_random_state


def batches(loader: TrainLoader, epoch: int, start: int) -> Iterator[Batch]:
    """The loader's batches of an epoch from number `start` on.

    A loader that starts processes draws a number for them from torch's generator; a resumed training, which starts
    them anew, would then hide other cells and sample other regions from there on than the uninterrupted one.
    """
    whole = loader.batches(epoch, start=start)
    with kept_random_state():
        first = next(whole)
    yield first
    yield from whole

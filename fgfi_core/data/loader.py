"""Batches for training and evaluation, the same whatever the count of workers and wherever a run was interrupted.

The order of an epoch is a function of (seed, epoch), and each image's randomness of (seed, epoch, index) alone.
"""

import math
import signal
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fgfi_core.data import transforms
from fgfi_core.data.cache import DEFAULT_BUDGET, ImageCache
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame, padded
from fgfi_core.detectors.detector import Target
from fgfi_core.spec import Augmentation

# First words of the two kinds of seed; lists of different length alone would collide, as seeds are padded with zeros.
_ORDER, _IMAGE = 1, 2


class Batch(NamedTuple):
    """images: [B, 3, H, W] float32 RGB in [0, 1], contiguous. targets: one per image, without difficult boxes."""

    images: Tensor
    targets: list[Target]


class EvalBatch(NamedTuple):
    """images: [B, 3, H, W] float32 RGB in [0, 1], contiguous. examples: what they were read from."""

    images: Tensor
    examples: tuple[Example, ...]


class TrainLoader:
    """Shuffled, augmented batches.

    frame: the network's input. batch_size: at most; a smaller data set is one batch, and what is left over at the end
    of an epoch is dropped. workers: processes that prepare batches, 0 does it here. threads: torch threads of
    each. pin: page-locked batches for fast copies to a GPU. cache_bytes: budget of `ImageCache`.
    part: (which, of how many) equal parts of each batch this is to make, where several processes share one.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        frame: Frame,
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
        *,
        workers: int = 0,
        threads: int = 1,
        pin: bool = False,
        cache_bytes: int = DEFAULT_BUDGET,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        if not examples:
            raise ValueError("there are no examples to train on")
        self.seed = seed
        self.batch_size = min(batch_size, len(examples))
        which, parts = part
        if self.batch_size % parts:
            raise ValueError(f"a batch of {self.batch_size} images has no {parts} equal parts")
        own = self.batch_size // parts
        self._own = slice(which * own, (which + 1) * own)
        self._count = len(examples)
        self._cache = ImageCache(examples, frame, budget=cache_bytes, shared=workers > 0)
        self._batches = _Batches(examples, frame, augmentation, seed, self._cache)
        self._keys = _Keys()
        self._pin = pin
        self._loader: DataLoader[Batch] | None = None
        if workers > 0:
            self._loader = DataLoader(
                self._batches,
                batch_size=None,
                sampler=self._keys,
                num_workers=workers,
                pin_memory=pin,
                persistent_workers=True,
                # A forked copy of a process with threads or CUDA in it may hang.
                multiprocessing_context="spawn",
                worker_init_fn=_WorkerStart(threads),
                # It draws a number whenever its processes start; from torch's own generator, a training that starts
                # them anew after an interruption would go on with other random numbers.
                generator=torch.Generator(),
            )

    def __len__(self) -> int:
        return max(1, self._count // self.batch_size)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Batches of one epoch from number `start` on. Raises BadData for an image that cannot be decoded."""
        order = np.random.default_rng([_ORDER, self.seed, epoch]).permutation(self._count)
        size = self.batch_size
        self._keys.pending = [(epoch, order[i * size : (i + 1) * size][self._own]) for i in range(start, len(self))]
        if self._loader is not None:
            yield from self._loader
            return
        for key in self._keys:
            batch = self._batches[key]
            yield _pinned(batch) if self._pin else batch

    def close(self) -> None:
        """Stop the workers and give the images' memory back."""
        self._loader = None
        self._cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EvalLoader:
    """Batches in the given order, unchanged but for the resize into the frame; the last one may be smaller."""

    def __init__(
        self,
        examples: Sequence[Example],
        frame: Frame,
        batch_size: int,
        *,
        cache_bytes: int = DEFAULT_BUDGET,
    ) -> None:
        self.examples = tuple(examples)
        self.frame = frame
        self.batch_size = batch_size
        self._cache = ImageCache(examples, frame, budget=cache_bytes, shared=False)

    def __len__(self) -> int:
        return math.ceil(len(self.examples) / self.batch_size)

    def __iter__(self) -> Iterator[EvalBatch]:
        for first in range(0, len(self.examples), self.batch_size):
            examples = self.examples[first : first + self.batch_size]
            stack = np.stack([self._cache[first + i] for i in range(len(examples))])
            yield EvalBatch(transforms.to_float(torch.from_numpy(stack)), examples)


Key = tuple[int, NDArray[np.int64]]


class _Keys:
    """The batches that are still to come, as (epoch, indices): the DataLoader's sampler."""

    def __init__(self) -> None:
        self.pending: list[Key] = []

    def __iter__(self) -> Iterator[Key]:
        return iter(list(self.pending))

    def __len__(self) -> int:
        return len(self.pending)


class _Batches(Dataset[Batch]):
    """Makes a batch from its key; the same bits in any process."""

    def __init__(
        self,
        examples: Sequence[Example],
        frame: Frame,
        augmentation: Augmentation,
        seed: int,
        cache: ImageCache,
    ) -> None:
        self.augmentation, self.seed, self.cache = augmentation, seed, cache
        self.frame = frame
        self.contents = [frame.content((e.width, e.height)) for e in examples]
        self.boxes = [frame.to_input(e.boxes[~e.difficult], (e.width, e.height)) for e in examples]
        self.labels = [e.labels[~e.difficult] for e in examples]

    def __getitem__(self, key: Key) -> Batch:
        epoch, indices = key
        samples = [self._sample(epoch, int(index)) for index in indices]
        stack = torch.from_numpy(np.stack([sample.image for sample in samples]))
        if self.augmentation.photometric:
            batch = transforms.apply_colours(stack, [sample.colour for sample in samples])
            if self.frame.resize == "fit":
                transforms.clear_padding(batch, [self.contents[index] for index in indices])
        else:
            batch = transforms.to_float(stack)
        labels = (torch.from_numpy(self.labels[index]) for index in indices)
        boxes = (torch.from_numpy(sample.boxes) for sample in samples)
        return Batch(batch, [Target(b, n) for b, n in zip(boxes, labels, strict=True)])

    def _sample(self, epoch: int, index: int) -> transforms.Augmented:
        rng = np.random.default_rng([_IMAGE, self.seed, epoch, index])
        width, height = self.contents[index]
        content = self.cache[index][:height, :width]
        changed = transforms.augment(content, self.boxes[index], self.augmentation, rng)
        return changed._replace(image=padded(changed.image, self.frame.size))


class _WorkerStart:
    """What a loader's process does first."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def __call__(self, _worker: int) -> None:
        torch.set_num_threads(self.threads)
        # Ctrl-C reaches the whole group; the training process decides when its workers stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _pinned(batch: Batch) -> Batch:
    targets = [Target(*(tensor.pin_memory() for tensor in target)) for target in batch.targets]
    return Batch(batch.images.pin_memory(), targets)


def to_device(batch: Batch, device: torch.device, **images: Any) -> Batch:
    """Copy a batch to a device without waiting; `images` are further arguments of the images' `.to`."""
    targets = [Target(*(tensor.to(device, non_blocking=True) for tensor in target)) for target in batch.targets]
    return Batch(batch.images.to(device, non_blocking=True, **images), targets)

"""Signs of life where no step ends for long: whoever runs the job takes silence for a hang, and ends it."""

import time
from collections.abc import Callable, Iterator, Sequence

from fgfi_core import events
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import EvalBatch, EvalLoader
from fgfi_core.training.task import Emit

LEAST_SECONDS = 0.5

# Hears of images that were looked at, by their count.
OnImages = Callable[[int], None]


class Pulse:
    """Stands before a run's `emit`, so that it knows where the run is, and says that again while images go by.

    In a training that is being measured, how far the training is; in a stage without steps, how many of the images
    that `expect` named were looked at. At most twice a second.
    """

    def __init__(self, emit: Emit, clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._here: events.Progress | None = None
        self._said_at = clock()
        self._images: int | None = None
        self._began_at = clock()

    def __call__(self, event: events.Event) -> None:
        """Pass an event on."""
        match event:
            case events.StageStarted():
                self._here, self._images = _beginning(event), None
            case events.Progress():
                self._here = event
            case events.Metrics() if self._here is not None and event.step > self._here.step:
                self._here = self._here.model_copy(update={"step": event.step})
        self._said_at = self._clock()
        self._emit(event)

    def expect(self, images: int) -> None:
        """The stage that has begun has no steps, but so many images to look at, the same one perhaps several times."""
        if self._here is None:
            raise RuntimeError("no stage has begun")
        self._here = self._here.model_copy(update={"steps": images})
        self._images, self._began_at = 0, self._clock()

    def seen(self, images: int) -> None:
        """So many images more were looked at."""
        if self._images is not None:
            self._images += images
        if self._here is None or self._clock() - self._said_at < LEAST_SECONDS:
            return
        if self._images is not None:
            self._here = self._counted(self._here, self._images)
        self(self._here)

    def _counted(self, here: events.Progress, images: int) -> events.Progress:
        done = min(images, here.steps)
        rate = images / max(self._clock() - self._began_at, 1e-3)
        return here.model_copy(
            update={"step": done, "images_per_second": rate, "eta_seconds": (here.steps - done) / rate}
        )


class WatchedLoader(EvalLoader):
    """Says after each batch how many images it held, once whoever takes the batches is done with them."""

    def __init__(self, examples: Sequence[Example], frame: Frame, batch_size: int, seen: OnImages) -> None:
        super().__init__(examples, frame, batch_size)
        self._seen = seen

    def __iter__(self) -> Iterator[EvalBatch]:
        for batch in super().__iter__():
            yield batch
            self._seen(len(batch.examples))


def _beginning(event: events.StageStarted) -> events.Progress:
    return events.Progress(
        stage=event.stage,
        seed=event.seed,
        step=event.step,
        steps=event.steps or 0,
        epoch=0,
        epochs=1,
        images_per_second=0.0,
        eta_seconds=0.0,
    )

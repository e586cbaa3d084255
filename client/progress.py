"""How a job goes on, drawn live: bars with metrics on a terminal, plain lines elsewhere."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

# What fits beside a bar, in the order of interest. A finished stage's `map50` is its best evaluation, not its last.
_SHOWN = {"loss": "loss", "map50": "mAP50", "val/map50": "mAP50", "loss/imitation": "imitation"}
_PERCENT = {"val/map50", "map50"}
_PLAIN_SECONDS = 10.0
_METRICS_SECONDS = 3.0


class Drawing(ABC):
    """Shows stages as they come; a stage of a seed is one line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.values: dict[tuple[str, int], dict[str, float]] = {}
        self.finished: set[tuple[str, int]] = set()
        self._now = clock
        self._metrics_due = 0.0

    @abstractmethod
    def stage(self, stage: str, seed: int, step: int, steps: int | None) -> None:
        """A stage began, or goes on from `step`."""

    @abstractmethod
    def advance(self, stage: str, seed: int, step: int, steps: int, note: str) -> None:
        """It got to `step`; `note` is how fast."""

    @abstractmethod
    def finish(self, stage: str, seed: int, seconds: float) -> None:
        """It is done."""

    @abstractmethod
    def say(self, text: str) -> None:
        """A line beside the stages."""

    def measure(self, stage: str, seed: int, values: Mapping[str, float]) -> None:
        """New values of metrics; shown with the next step."""
        self.values.setdefault((stage, seed), {}).update(values)

    def wants_metrics(self) -> bool:
        """Whether it is time to ask for newer values, where they do not come by themselves; true once in a while."""
        due = self._now() >= self._metrics_due
        if due:
            self._metrics_due = self._now() + _METRICS_SECONDS
        return due

    def metrics(self, stage: str, seed: int) -> str:
        """The newest values worth showing."""
        values = self.values.get((stage, seed), {})
        parts: list[str] = []
        for name, label in _SHOWN.items():
            if name in values and not any(part.startswith(label + " ") for part in parts):
                value = values[name]
                parts.append(f"{label} {100 * value:.1f}" if name in _PERCENT else f"{label} {value:.3g}")
        return "  ".join(parts)


@contextmanager
def drawing(console: Console, *, quiet: bool = False) -> Iterator[Drawing]:
    """The drawing that fits where we write, for the length of a block: nothing, bars or lines."""
    if quiet:
        yield Silent()
    elif console.is_terminal:
        bars = Bars(console)
        with bars.progress:
            yield bars
    else:
        yield Lines(lambda text: console.print(text, markup=False, soft_wrap=True))


class Silent(Drawing):
    """Draws nothing: `--json` wants one document and no more."""

    def wants_metrics(self) -> bool:
        """Never."""
        return False

    def stage(self, stage: str, seed: int, step: int, steps: int | None) -> None:
        """Nothing."""

    def advance(self, stage: str, seed: int, step: int, steps: int, note: str) -> None:
        """Nothing."""

    def finish(self, stage: str, seed: int, seconds: float) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


class Lines(Drawing):
    """One line when a stage begins, ends, and every few seconds between."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._write = write
        self._next = 0.0

    def stage(self, stage: str, seed: int, step: int, steps: int | None) -> None:
        """Say that it begins."""
        goes_on = f", goes on at step {step}" if step else ""
        of = f", {steps} steps" if steps else ""
        self._write(f"{_label(stage, seed)}: started{of}{goes_on}")
        self._next = self._now() + _PLAIN_SECONDS

    def advance(self, stage: str, seed: int, step: int, steps: int, note: str) -> None:
        """Say where it is, now and then."""
        if self._now() >= self._next:
            self._next = self._now() + _PLAIN_SECONDS
            self._write(_join(f"{_label(stage, seed)}: {step}/{steps}", note, self.metrics(stage, seed)))

    def finish(self, stage: str, seed: int, seconds: float) -> None:
        """Say how long it took and what came out."""
        self._write(_join(f"{_label(stage, seed)}: done in {_clock(seconds)}", self.metrics(stage, seed)))

    def say(self, text: str) -> None:
        """Say it."""
        self._write(text)


class Bars(Drawing):
    """A bar a stage, with its newest metrics."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._tasks: dict[tuple[str, int], TaskID] = {}
        self.progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            expand=False,
        )

    def stage(self, stage: str, seed: int, step: int, steps: int | None) -> None:
        """Add its bar, or set it back to where it goes on."""
        task = self._task(stage, seed)
        self.progress.update(task, total=steps, completed=step)

    def advance(self, stage: str, seed: int, step: int, steps: int, note: str) -> None:
        """Move its bar."""
        shown = _join(self.metrics(stage, seed), note)
        self.progress.update(self._task(stage, seed), total=steps, completed=step, note=shown)

    def finish(self, stage: str, seed: int, seconds: float) -> None:
        """Fill its bar."""
        task = self._task(stage, seed)
        total = next(t.total for t in self.progress.tasks if t.id == task) or 1
        note = _join(self.metrics(stage, seed), f"done in {_clock(seconds)}")
        self.progress.update(task, total=total, completed=total, note=note)

    def say(self, text: str) -> None:
        """A line above the bars."""
        self.progress.console.print(escape(text), soft_wrap=True)

    def _task(self, stage: str, seed: int) -> TaskID:
        key = (stage, seed)
        if key not in self._tasks:
            self._tasks[key] = self.progress.add_task(_label(stage, seed), total=None, note="")
        return self._tasks[key]


def feed(drawing: Drawing, kind: str, data: Mapping[str, Any]) -> None:
    """Draw one event of a run, as `fgfi_core.run` and the service's stream spell it; unknown kinds are left out."""
    stage, seed = str(data.get("stage", "")), int(data.get("seed") or 0)
    if kind == "stage_started":
        drawing.finished.discard((stage, seed))
        drawing.stage(stage, seed, int(data.get("step") or 0), data.get("steps"))
    elif kind == "metrics":
        drawing.measure(stage, seed, data["values"])
    elif kind == "progress":
        # The service's word of a step may come after that of the stage's end.
        if (stage, seed) in drawing.finished:
            return
        note = f"{data['images_per_second']:.0f} images/s, {_clock(data['eta_seconds'])} left"
        drawing.advance(stage, seed, data["step"], data["steps"], note)
    elif kind == "stage_finished":
        drawing.finished.add((stage, seed))
        drawing.measure(stage, seed, data.get("summary") or {})
        drawing.finish(stage, seed, float(data.get("seconds") or 0.0))
    elif kind == "log" and data.get("level") in {"info", "warning", "error"}:
        level = "" if data["level"] == "info" else f"{data['level']}: "
        drawing.say(f"{level}{data.get('message', '')}")


def _join(*parts: str) -> str:
    return "  ".join(filter(None, parts))


def _label(stage: str, seed: int) -> str:
    return f"{stage} (seed {seed})" if seed else stage


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

"""TensorBoard's event files: a folder a training, so that teacher, plain and imitated student lie over each other."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from client.curves import Curve, missing


class EventFiles:
    """Event files below a folder. Raises ClientError when the package that writes them is not installed."""

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboardX import SummaryWriter  # noqa: PLC0415 - an extra, needed here alone
        except ImportError as error:
            raise missing("tensorboardX", "tensorboard") from error
        self._make = SummaryWriter
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write everything out."""
        for writer in self._writers.values():
            writer.close()

    def add(self, curve: Curve, when: float | None = None) -> None:
        """A whole curve. when: seconds since 1970 that its points carry; None is now."""
        for step, value in curve.points():
            self._writer(curve.training).add_scalar(curve.name, value, step, walltime=when)

    def add_event(self, kind: str, data: Mapping[str, Any]) -> None:
        """What a run says while it works; only metrics are written."""
        if kind == "metrics":
            writer = self._writer(f"{data['stage']}-{data['seed']}")
            for name, value in data["values"].items():
                writer.add_scalar(name, value, data["step"])

    def _writer(self, training: str) -> Any:
        if training not in self._writers:
            self._writers[training] = self._make(logdir=str(self._folder / training), write_to_disk=True)
        return self._writers[training]


def write(folder: Path, curves: Iterable[Curve], when: float | None = None) -> int:
    """All curves; returns how many."""
    count = 0
    with EventFiles(folder) as files:
        for count, curve in enumerate(curves, start=1):  # noqa: B007 - the last number is the answer
            files.add(curve, when)
    return count

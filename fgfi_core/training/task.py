"""One training as data: what goes into the loop and what comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from fgfi_core import events
from fgfi_core.data.loader import TrainLoader
from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import Imitation
from fgfi_core.results import Score
from fgfi_core.spec import Schedule, Stage
from fgfi_core.spec.methods import Imitation as Method
from fgfi_core.training.checkpoint import CheckpointFolder
from fgfi_core.training.device import Placement
from fgfi_core.training.unlabelled import Unlabelled

Emit = Callable[[events.Event], None]
Point = tuple[int, float, dict[str, float]]


@dataclass(frozen=True)
class Imitate:
    """What the imitating student's loop adds: the method's module, its fields, and images without labels, if any."""

    module: Imitation
    method: Method
    unlabelled: Unlabelled | None = None


class Learner(Protocol):
    """What one step of the optimiser needs to know."""

    @property
    def detector(self) -> Detector:
        """What learns."""

    @property
    def schedule(self) -> Schedule:
        """Resolved; a micro-batch of `auto` is the whole batch."""

    @property
    def placement(self) -> Placement:
        """Where and in which precision."""

    @property
    def imitate(self) -> Imitate | None:
        """The imitating student's method; None for those that learn from labels alone."""

    @property
    def bias_factor(self) -> float:
        """Of the learning rate, for biases."""


@dataclass(frozen=True)
class Task:
    """One training: what to train, on what, and where its events and checkpoints go.

    `schedule` is resolved: batch size and learning rate are numbers. bias_factor: of the learning rate, for biases.
    """

    stage: Stage
    seed: int
    detector: Detector
    schedule: Schedule
    epochs: int
    loader: TrainLoader
    evaluate: Callable[[Detector], Score]
    placement: Placement
    checkpoints: CheckpointFolder
    emit: Emit
    should_stop: Callable[[], bool]
    imitate: Imitate | None = None
    bias_factor: float = 1.0


@dataclass
class Trained:
    """The result of a training: its best weights on val, how they scored, and the curves."""

    weights: dict[str, Tensor]
    score: Score
    best_step: int
    steps: int
    seconds: float
    imitation_weights: dict[str, float]
    history: list[Point] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """As kept in `final.pt`."""
        return {**self.__dict__, "score": self.score.model_dump()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Trained":
        """The inverse of `state`."""
        return cls(**{**state, "score": Score.model_validate(state["score"])})

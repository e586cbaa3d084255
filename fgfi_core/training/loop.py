"""The training loop, one for teacher, plain and imitating student."""

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from torch import Tensor

from fgfi_core import events
from fgfi_core.data.loader import Batch
from fgfi_core.detectors.shared_norm import shared_norms
from fgfi_core.errors import Diverged, Stopped
from fgfi_core.processes import alone, meet, rank, told
from fgfi_core.results import Score
from fgfi_core.training.beside import Beside, copied
from fgfi_core.training.checkpoint import CheckpointNotWritten, OnDamage, random_state, restore_random_state
from fgfi_core.training.schedule import learning_rate
from fgfi_core.training.step import Step
from fgfi_core.training.task import Point, Task, Trained
from fgfi_core.training.torch_errors import explained
from fgfi_core.training.versions import written_by_this_version
from fgfi_core.training.window import Window

LOG_EVERY = 10
PROGRESS_SECONDS = 0.5


def train(task: Task) -> Trained:
    """Train one detector, or continue where a checkpoint of this stage and seed left off.

    Raises Diverged on a non-finite loss, BadSpec for a batch too small for the detector's norms, OutOfMemory when the
    device is too small for the batch, and Stopped, after a checkpoint, when the task's `should_stop` says so.
    """
    finished = task.checkpoints.load_final(_damaged(task, "its stage runs again, from its newest state if it has one"))
    if finished is not None:
        with written_by_this_version(task.checkpoints.folder / "final.pt"):
            return Trained.from_state(finished)
    with explained(task.detector, task.schedule, _images_at_once(task)):
        return _Loop(task).run()


def _damaged(task: Task, then: str) -> OnDamage:
    """Says which file is damaged, and what is done then."""

    def say(path: str) -> None:
        message = f"The checkpoint {path} is damaged: {then}."
        task.emit(events.Log(level="warning", message=message, code="checkpoint_damaged"))

    return say


def _images_at_once(task: Task) -> int:
    """Images of one forward pass."""
    most = task.schedule.micro_batch
    return task.loader.batch_size if most == "auto" else min(most, task.loader.batch_size)


class _Loop:
    """The loop's state, all of which a checkpoint holds, and its steps in the order they happen."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.model = task.detector
        self.learn = Step(task)
        self.optimizer, self.balances = self.learn.optimizer, self.learn.balances
        self.steps_per_epoch = len(task.loader)
        self.steps = task.epochs * self.steps_per_epoch
        self.step = 0
        self.seconds = 0.0
        self.best: tuple[Score, int, dict[str, Tensor]] | None = None
        self.history: list[Point] = []
        self.window = Window()
        then = "the stage goes on from the one before, or from its start"
        state = task.checkpoints.load_newest_step(_damaged(task, then))
        with written_by_this_version(task.checkpoints.folder):
            self._restore(state)
        self.started = self.saved_at = time.monotonic()
        self.first_step = self.saved_step = self.step
        self.beside = Beside(task.checkpoints)
        self.progress_at = -math.inf

    def run(self) -> Trained:
        try:
            with self.beside, shared_norms(self.model):
                return self._train()
        except Exception:
            # What ended the training matters more than a checkpoint that was on its way.
            with suppress(CheckpointNotWritten):
                self._tell_saved(wait=True)
            raise

    def _train(self) -> Trained:
        task = self.task
        task.emit(events.StageStarted(stage=task.stage, seed=task.seed, step=self.step, steps=self.steps))
        for epoch in range(self.step // self.steps_per_epoch, task.epochs):
            self.model.train()
            for batch in task.loader.batches(epoch, start=self.step - epoch * self.steps_per_epoch):
                self._train_step(batch)
                self._report()
                if self.step % self.steps_per_epoch:
                    self._checkpoint_if_due()
            if (epoch + 1) % task.schedule.evaluate_every == 0 or epoch + 1 == task.epochs:
                self._evaluate()
            self._checkpoint_if_due()
        if self.best is None:
            # A teacher whose file is taken as it is has no epoch, and so no evaluation yet.
            self._evaluate()
        return self._finish()

    def _train_step(self, batch: Batch) -> None:
        schedule = self.task.schedule
        rate = learning_rate(
            self.step, self.steps, float(schedule.learning_rate), schedule.warmup_steps, schedule.decay
        )
        self.window.add(self.learn(batch, self.step, rate))
        self.step += 1

    def _report(self) -> None:
        """Metrics every few steps and progress twice a second; the only places where the host waits for the device."""
        if self.step % LOG_EVERY == 0 or self.step == self.steps:
            self._flush()
        now = time.monotonic()
        if now - self.progress_at < PROGRESS_SECONDS:
            return
        self.progress_at = now
        done = self.step - self.first_step
        per_step = (now - self.started) / done
        self.task.emit(
            events.Progress(
                stage=self.task.stage,
                seed=self.task.seed,
                step=self.step,
                steps=self.steps,
                epoch=min(self.step // self.steps_per_epoch, self.task.epochs - 1),
                epochs=self.task.epochs,
                images_per_second=self.task.loader.batch_size / per_step,
                eta_seconds=(self.steps - self.step) * per_step,
            )
        )

    def _flush(self) -> None:
        values = self.window.means()
        if not values:
            return
        self._raise_unless_finite(values)
        values["learning_rate"] = float(self.optimizer.param_groups[0]["lr"])
        values |= {f"{name}_weight": weight for name, weight in self.balances.measured().items()}
        self._publish(values)

    def _publish(self, values: dict[str, float]) -> None:
        epoch = self.step / self.steps_per_epoch
        self.history.append((self.step, epoch, values))
        self.task.emit(
            events.Metrics(stage=self.task.stage, seed=self.task.seed, step=self.step, epoch=epoch, values=values)
        )

    def _raise_unless_finite(self, values: Mapping[str, float]) -> None:
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            raise Diverged(
                f"{self.task.stage} (seed {self.task.seed}): {', '.join(bad)} stopped being finite "
                f"within the {LOG_EVERY} steps before step {self.step}.",
                hint="Lower schedule.learning_rate, lengthen schedule.warmup_steps or set schedule.clip_norm.",
            )

    def _evaluate(self) -> None:
        self._flush()
        if rank() > 0:
            return  # The first process measures; the others wait for it at their next step.
        # Evaluating may take long: what is on disk shall be known before.
        self._tell_saved(wait=True)
        self.model.eval()
        with alone():
            score = self.task.evaluate(self.model)
        self.model.train()
        values = {"val/map50": score.map50, "val/map50_11": score.map50_11}
        values |= {f"val/ap50/{name}": ap for name, ap in score.ap50.items() if ap is not None}
        self._publish(values)
        if self.best is None or score.map50 > self.best[0].map50:
            self.best = (score, self.step, copied(self.model.state_dict()))

    def _checkpoint_if_due(self) -> None:
        self._tell_saved(wait=False)
        stop, due = told(self.task.should_stop(), self._is_due())
        # A stop after the last step would find nothing left to save: the final checkpoint follows at once.
        if self.step >= self.steps or not (stop or due):
            return
        self._raise_unless_finite(self.window.peek())
        if rank() == 0:
            self._tell_saved(wait=True)
            self.beside.begin(self.step, self._state())
        self.saved_at, self.saved_step = time.monotonic(), self.step
        if stop:
            self._tell_saved(wait=True)
            raise Stopped(
                f"stopped in {self.task.stage} (seed {self.task.seed}) at step {self.step} of {self.steps}; "
                "a checkpoint was written.",
                hint="Run the same command again to continue.",
            )

    def _is_due(self) -> bool:
        schedule = self.task.schedule
        steps = schedule.checkpoint_steps
        return (steps is not None and self.step - self.saved_step >= steps) or (
            time.monotonic() - self.saved_at >= schedule.checkpoint_seconds
        )

    def _tell_saved(self, *, wait: bool) -> None:
        """Say that the checkpoint is on disk, once it is."""
        saved = self.beside.finished(wait=wait)
        if saved is not None:
            self.task.emit(saved)

    def _finish(self) -> Trained:
        if rank() > 0:
            meet()  # The result of all lies in the folder they share.
            return Trained.from_state(self.task.checkpoints.load_final(_damaged(self.task, "")) or {})
        assert self.best is not None  # noqa: S101 - the last epoch is always evaluated
        self._tell_saved(wait=True)
        score, best_step, weights = self.best
        trained = Trained(
            weights=weights,
            score=score,
            best_step=best_step,
            steps=self.steps,
            seconds=self._elapsed(),
            imitation_weights=self.balances.weights(),
            history=self.history,
        )
        self.task.emit(self.task.checkpoints.save_final(self.step, trained.state()))
        self.task.emit(
            events.StageFinished(
                stage=self.task.stage,
                seed=self.task.seed,
                seconds=trained.seconds,
                summary={"map50": score.map50, "map50_11": score.map50_11},
            )
        )
        meet()
        return trained

    def _elapsed(self) -> float:
        return self.seconds + time.monotonic() - self.started

    def _state(self) -> dict[str, Any]:
        """As it is now, whatever the next steps do; the weights of the best and points of the curves never change."""
        imitate = self.task.imitate
        return {
            "step": self.step,
            "seconds": self._elapsed(),
            "model": copied(self.model.state_dict()),
            "imitation": copied(imitate.module.state_dict() if imitate is not None else {}),
            "optimizer": copied(self.optimizer.state_dict()),
            "balances": copied(self.balances.state_dict()),
            "random": random_state(),
            "best": None if self.best is None else (self.best[0].model_dump(), *self.best[1:]),
            "history": list(self.history),
            "window": copied(self.window.state()),
        }

    def _restore(self, state: Mapping[str, Any] | None) -> None:
        if state is None:
            return
        self.step, self.seconds = state["step"], state["seconds"]
        self.model.load_state_dict(state["model"])
        if self.task.imitate is not None:
            self.task.imitate.module.load_state_dict(state["imitation"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.balances.load_state_dict(state["balances"])
        restore_random_state(state["random"])
        if state["best"] is not None:
            score, step, weights = state["best"]
            self.best = (Score.model_validate(score), step, weights)
        self.history = [(step, epoch, dict(values)) for step, epoch, values in state["history"]]
        self.window = Window.from_state(state["window"])

"""A whole job from a folder to a folder: pre-flight, teacher, plain and imitating student, export, report."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from fgfi_core import data, events
from fgfi_core.atomic import write_text
from fgfi_core.preflight.probe import micro_batch
from fgfi_core.preflight.run import before_students, before_training
from fgfi_core.processes import alone, meet, rank
from fgfi_core.results import JobResult
from fgfi_core.spec import Imitation, JobSpec, Stage
from fgfi_core.training.checkpoint import describe
from fgfi_core.training.delivery import export_student, write_report
from fgfi_core.training.device import Placement, choose
from fgfi_core.training.pulse import Pulse
from fgfi_core.training.ranks import Work, joined
from fgfi_core.training.resolve import FILE, NO_WEIGHTS, Weights, keep, resolve, settle, with_micro_batch
from fgfi_core.training.task import Emit
from fgfi_core.training.trainings import Bench, Finished, train_all

RESULT = "result.json"


def never() -> bool:
    """The `should_stop` of a run that nobody interrupts."""
    return False


def run(
    spec: JobSpec,
    data_dir: Path,
    out_dir: Path,
    on_event: Emit,
    *,
    should_stop: Callable[[], bool] = never,
    weights: Weights = NO_WEIGHTS,
) -> JobResult:
    """Run a job, or continue the one that `out_dir` holds.

    data_dir: a data set in a known format. on_event: called in this thread with each event of `fgfi_core.events`.
    should_stop: asked between steps. weights: a safetensors file for each side whose `init` is `file`.
    Raises a `fgfi_core.errors.JobError`: Stopped after a checkpoint when asked to stop, else what the user has to mend.

    With `resources.count` above 1 this starts the other processes, or is itself one of those that torchrun started
    with the same arguments; the first one's events and `should_stop` count, and the result is that of all.
    """
    placement = choose(spec.resources, spec.schedule.precision)
    torch.set_num_threads(placement.threads)
    with joined(Work(spec, data_dir, out_dir, weights), placement):
        if rank() > 0:
            return _take_part(spec, data_dir, out_dir, placement, weights)
        return _lead(spec, data_dir, out_dir, placement, weights, Pulse(on_event), should_stop)


def _lead(
    spec: JobSpec,
    data_dir: Path,
    out_dir: Path,
    placement: Placement,
    weights: Weights,
    emit: Pulse,
    should_stop: Callable[[], bool],
) -> JobResult:
    """The whole job; the trainings together with whoever else takes part."""
    with alone(), _stage("preflight", spec.seeds[0], emit) as numbers:
        dataset = data.read(data_dir)
        resolved = settle(resolve(spec, dataset, placement, weights), spec, out_dir)
        bench = Bench(resolved, dataset, placement, out_dir, emit, should_stop, weights, emit.seen)
        resolved = with_micro_batch(resolved, micro_batch(bench))
        keep(resolved, spec, out_dir)
        # Later stages need what was resolved as much as they need a teacher's weights.
        emit(describe(out_dir, FILE, stage="preflight", seed=spec.seeds[0]))
        emit(events.SpecResolved(resolved=resolved.model_dump(mode="json")))
        spec = resolved.spec
        bench = replace(bench, resolved=resolved)
        numbers.update(before_training(bench))
    meet()

    trainings = train_all(bench)
    teacher = next(trainings)
    if isinstance(spec.method, Imitation):
        with alone():
            before_students(bench, teacher)
        meet()
    finished = [teacher, *trainings]

    with alone(), _stage("export", spec.seeds[0], emit) as numbers:
        student = _delivered(finished)
        emit.expect(len(bench.val("student").examples) * len(spec.exports))
        exports = export_student(bench, student.detector)
        numbers.update({f"map50/{export.format}": export.map50 for export in exports})

    result = JobResult(
        name=spec.name,
        classes=resolved.classes,
        trainings=tuple(one.training() for one in finished),
        exports=exports,
        seconds=math.fsum(one.trained.seconds for one in finished),
    )
    with alone(), _stage("report", spec.seeds[0], emit):
        emit.expect(len(bench.val("student").examples) * len(finished))
        result = write_report(bench, result, finished)
        write_text(out_dir / RESULT, result.model_dump_json(indent=1))
    emit(events.RunFinished(result=result.model_dump(mode="json")))
    meet()
    return result


def _take_part(spec: JobSpec, data_dir: Path, out_dir: Path, placement: Placement, weights: Weights) -> JobResult:
    """The trainings of a job that another process leads: whatever it does alone, this one waits for."""
    meet()
    dataset = data.read(data_dir)
    resolved = settle(resolve(spec, dataset, placement, weights), spec, out_dir)
    trainings = train_all(Bench(resolved, dataset, placement, out_dir, lambda _: None, never, weights))
    next(trainings)
    if isinstance(spec.method, Imitation):
        meet()
    for _ in trainings:
        pass
    meet()
    return JobResult.model_validate_json((out_dir / RESULT).read_bytes())


def _delivered(finished: Sequence[Finished]) -> Finished:
    """The student that is exported: imitating where there is one, of several seeds the best on val."""
    role = "imitated" if any(one.role == "imitated" for one in finished) else "plain"
    return max((one for one in finished if one.role == role), key=lambda one: one.trained.score.map50)


@contextmanager
def _stage(stage: Stage, seed: int, emit: Emit) -> Iterator[dict[str, float]]:
    """Say that a short stage begins and ends; what it measured goes into the yielded numbers."""
    started = time.monotonic()
    numbers: dict[str, float] = {}
    emit(events.StageStarted(stage=stage, seed=seed))
    yield numbers
    emit(events.StageFinished(stage=stage, seed=seed, seconds=time.monotonic() - started, summary=numbers))

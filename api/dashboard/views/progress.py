"""How far a job is: of its stage for the job page, of the whole for the list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fgfi_core.spec import STAGES, Stage
from store.tables import Job

# Shares of a job's time, roughly: a bar should move evenly. The trainings take nearly all of it.
WEIGHTS: dict[Stage, float] = {
    "preflight": 0.02,
    "teacher": 0.38,
    "baseline": 0.24,
    "imitation": 0.30,
    "export": 0.04,
    "report": 0.02,
}

# Stages that are run once a seed.
PER_SEED: tuple[Stage, Stage] = ("baseline", "imitation")

TITLES: dict[str, str] = {
    "preflight": "Pre-flight",
    "teacher": "Teacher",
    "baseline": "Baseline",
    "imitation": "Imitation",
    "export": "Export",
    "report": "Report",
}


@dataclass(frozen=True)
class StageProgress:
    """Where the running stage is. fraction in [0, 1]; seconds left of the stage."""

    stage: str
    seed: int
    step: int
    steps: int
    epoch: int
    epochs: int
    images_per_second: float
    eta_seconds: float

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> "StageProgress | None":
        """From a job's latest `progress`; None when there is none."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__}) if data else None

    @property
    def fraction(self) -> float:
        """Done steps over all."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0


def skipped(spec: Mapping[str, Any]) -> frozenset[str]:
    """Stages this job leaves out: without imitation the plain student is what is delivered, so it is always trained."""
    if spec.get("method", {}).get("name") == "none":
        return frozenset({"imitation"})
    return frozenset() if spec.get("baseline", True) else frozenset({"baseline"})


def settled(job: Job) -> bool:
    """Whether all trainings are done, so that best may be compared with best."""
    return job.state == "succeeded" or job.stage in {"export", "report"}


def current(job: Job) -> StageProgress | None:
    """Where the job's stage is right now; None while nobody works on it, or before a stage's first word."""
    now = StageProgress.of(job.progress)
    return now if now and now.stage == job.stage and job.state == "running" else None


def seconds_left(job: Job) -> float | None:
    """Of the whole job, drawn from the pace of the stage that runs and the shares of those that follow; None else."""
    now, done = current(job), whole(job)
    if now is None or now.fraction >= 1:
        return None
    share = WEIGHTS[cast("Stage", now.stage)] / sum(WEIGHTS[one] for one in STAGES if one not in skipped(job.spec))
    seeds = len(job.spec.get("seeds", [0])) if now.stage in PER_SEED else 1
    left_in_stage = share / seeds * (1 - now.fraction)
    return now.eta_seconds * max(1.0, (1 - done) / left_in_stage)


def whole(job: Job) -> float:
    """Done share of the whole job, in [0, 1], for a bar.

    The teacher is trained once; then each seed trains its plain and its imitating student, in turns.
    """
    if job.state == "succeeded":
        return 1.0
    if job.stage not in STAGES:
        return 0.0
    stage, stages = job.stage, [one for one in STAGES if one not in skipped(job.spec)]
    now = StageProgress.of(job.progress)
    within = now.fraction if now and now.stage == stage else 0.0
    total = sum(WEIGHTS[one] for one in stages)
    done = sum(WEIGHTS[one] for one in stages if STAGES.index(one) < STAGES.index(stage))
    if stage not in PER_SEED:
        return min(1.0, (done + WEIGHTS[stage] * within) / total)
    seeds = job.spec.get("seeds", [0])
    place = seeds.index(now.seed) if now and now.seed in seeds else 0
    if now and now.stage == PER_SEED[1] and stage == PER_SEED[0]:
        place += 1  # The next seed has begun, and has not yet said how far it is.
    both = sum(WEIGHTS[one] for one in stages if one in PER_SEED)
    earlier = sum(WEIGHTS[one] for one in stages if STAGES.index(one) < STAGES.index(PER_SEED[0]))
    in_this_seed = (WEIGHTS[PER_SEED[0]] if stage == PER_SEED[1] and PER_SEED[0] in stages else 0) + WEIGHTS[
        stage
    ] * within
    return min(1.0, (earlier + (both * place + in_this_seed) / len(seeds)) / total)

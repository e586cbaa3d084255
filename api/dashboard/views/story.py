"""A job's history as lines of a log, and its stages as stops on a line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from api.dashboard.render import duration, points, size
from api.dashboard.views.progress import PER_SEED, TITLES, skipped
from fgfi_core.spec import STAGES
from store.states import HELD
from store.tables import Job, JobEvent

Level = Literal["debug", "info", "warning", "error"]
StopState = Literal["waiting", "running", "resting", "done", "failed", "skipped"]


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    sequence: int
    time: datetime
    level: Level
    what: str
    text: str


@dataclass(frozen=True)
class Stop:
    """A stage on the line. `note`: how long it took, or what is going on."""

    name: str
    title: str
    state: StopState
    note: str


def lines(events: Sequence[JobEvent]) -> list[Line]:
    """The events in words."""
    return [Line(event.sequence, event.time, *_words(event.kind, event.data)) for event in events]


def stops(job: Job, events: Sequence[JobEvent]) -> list[Stop]:
    """The stages of the job in their order."""
    left_out = skipped(job.spec)
    seconds = _seconds(events)
    return [_stop(job, stage, stage in left_out, seconds.get(stage, [])) for stage in STAGES]


def _stop(job: Job, stage: str, left_out: bool, seconds: list[float]) -> Stop:
    title = TITLES[stage]
    seeds = len(job.spec.get("seeds", [0])) if stage in PER_SEED else 1
    if left_out:
        return Stop(stage, title, "skipped", "left out")
    if len(seconds) >= seeds:
        return Stop(stage, title, "done", duration(sum(seconds)))
    so_far = f"{len(seconds)} of {seeds} seeds" if seconds else ""
    if job.stage != stage:
        return Stop(stage, title, "waiting", so_far)
    if job.state == "failed":
        return Stop(stage, title, "failed", "stopped here")
    if job.state in HELD:
        return Stop(stage, title, "running", so_far or "running")
    return Stop(stage, title, "resting", "stopped here" if job.state == "cancelled" else "goes on from here")


def _seconds(events: Sequence[JobEvent]) -> dict[str, list[float]]:
    """How long each finished run of a stage took. Told twice after a resume, the last one counts."""
    told: dict[tuple[str, int], float] = {}
    for event in events:
        if event.kind == "stage_finished":
            told[(event.data.get("stage", ""), event.data.get("seed", 0))] = event.data.get("seconds", 0.0)
    found: dict[str, list[float]] = {}
    for (stage, _), seconds in told.items():
        found.setdefault(stage, []).append(seconds)
    return found


def _words(kind: str, data: Mapping[str, Any]) -> tuple[Level, str, str]:
    """Level, headword and text of an event. A kind not known here is shown as it is."""
    say = _SAY.get(kind)
    if say is None:
        return "info", kind, ", ".join(f"{name}: {value}" for name, value in data.items())[:500]
    return say(data)


def _say_state(data: Mapping[str, Any]) -> tuple[Level, str, str]:
    level: Level = "error" if data.get("to") == "failed" else "info"
    return level, str(data.get("to", "state")), str(data.get("message", ""))


def _say_started(data: Mapping[str, Any]) -> tuple[Level, str, str]:
    step = data.get("step") or 0
    goes_on = f", goes on from step {step}" if step else ""
    return "info", "stage", f"{_stage(data)} began{goes_on}"


def _say_finished(data: Mapping[str, Any]) -> tuple[Level, str, str]:
    return "info", "stage", f"{_stage(data)} done in {duration(data.get('seconds'))}{_summary(data)}"


def _say_checkpoint(data: Mapping[str, Any]) -> tuple[Level, str, str]:
    final = "final, " if data.get("final") else ""
    return "info", "checkpoint", f"{_stage(data)}: {final}step {data.get('step')}"


def _say_artifact(data: Mapping[str, Any]) -> tuple[Level, str, str]:
    return "info", "file", f"{data.get('name')} ({data.get('format')}, {size(data.get('size') or 0)})"


def _say_log(data: Mapping[str, Any]) -> tuple[Level, str, str]:
    given = data.get("level")
    level: Level = cast("Level", given) if given in get_args(Level) else "info"
    return level, level, str(data.get("message", ""))


_SAY: dict[str, Callable[[Mapping[str, Any]], tuple[Level, str, str]]] = {
    "state": _say_state,
    "stage_started": _say_started,
    "stage_finished": _say_finished,
    "checkpoint": _say_checkpoint,
    "artifact": _say_artifact,
    "log": _say_log,
}


def _stage(data: Mapping[str, Any]) -> str:
    stage = str(data.get("stage", ""))
    seed = f", seed {data['seed']}" if stage in PER_SEED and "seed" in data else ""
    return f"{TITLES.get(stage, stage)}{seed}"


def _summary(data: Mapping[str, Any]) -> str:
    best = (data.get("summary") or {}).get("map50")
    return f", mAP50 {points(best)} %" if isinstance(best, int | float) else ""

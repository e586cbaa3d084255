"""Judges the history that clients saw: what was lost, what happened twice, what went backwards."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

from store.states import MOVES, TERMINAL
from tests.chaos.history import JobHistory, Json

Window = tuple[datetime, datetime]


@dataclass
class Findings:
    """What must not be. lost_steps: of each resumed attempt, how many steps had to be done again."""

    jobs: int = 0
    attempts: int = 0
    faults: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    regressions: list[str] = field(default_factory=list)
    lost_steps: list[int] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.regressions)

    def __add__(self, other: "Findings") -> "Findings":
        """Of two rounds."""
        return Findings(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Findings)))

    def line(self) -> str:
        """The one line at the end."""
        return (
            f"jobs={self.jobs} attempts={self.attempts} faults={self.faults} "
            f"lost={len(self.lost)} doubled={len(self.doubled)} regressions={len(self.regressions)}"
        )


def check(histories: list[JobHistory], faults: int = 0, store_faults: list[Window] | None = None) -> Findings:
    """Judge all jobs. store_faults: when the object store failed; what was lost then may be more than an interval."""
    findings = Findings(jobs=len(histories), faults=faults)
    for history in histories:
        name = f"{history.job_id} ({history.plan.key})"
        findings.lost += [f"{name}: {what}" for what in _lost(history)]
        if history.job is None:
            continue
        findings.attempts += len(history.job["attempts"])
        findings.doubled += [f"{name}: {what}" for what in _doubled(history)]
        findings.regressions += [f"{name}: {what}" for what in _regressions(history)]
        for steps, what in _lost_work(history, store_faults or []):
            findings.lost_steps.append(steps)
            findings.regressions += [f"{name}: {what}"] if what else []
    return findings


def _lost(history: JobHistory) -> Iterator[str]:
    """An acknowledged job ends as it should, and so does an acknowledged wish."""
    job = history.job
    if job is None:
        yield "not found"
        return
    state = job["state"]
    if state not in TERMINAL:
        yield f"still {state}"
        return
    if state != history.plan.ends and not (state == "cancelled" and "cancel" in history.asked):
        yield f"ended as {state}, not {history.plan.ends}: {job['error']}"
    wishes = [action for action in history.answered if action in {"cancel", "retry"}]
    if wishes and wishes[-1] == "cancel" and state != "cancelled" and history.asked[-1] == "cancel":
        yield f"the cancellation was accepted, and it ended as {state}"
    if state == "succeeded" and history.plan.digest is not None:
        if not any(file["name"] == "student" for file, _ in history.files):
            yield "the student is missing"
        for file, content in history.files:
            if sha256(content).hexdigest() != file["sha256"]:
                yield f"the content of {file['name']} is not what its row says"
    if any(attempt["ended_at"] is None for attempt in job["attempts"]):
        yield "it is over, but an attempt is not"


def _doubled(history: JobHistory) -> Iterator[str]:
    """One job a request, one holder at a time, one accepted finish."""
    assert history.job is not None
    if len(history.twins | {history.job_id}) > 1:
        yield f"one request made several jobs: {sorted(history.twins)}"
    attempts = history.job["attempts"]
    numbers = [attempt["number"] for attempt in attempts]
    if numbers != list(range(1, len(attempts) + 1)):
        yield f"attempts are numbered {numbers}"
    for before, after in pairwise(attempts):
        if before["ended_at"] is None or _time(before["ended_at"]) > _time(after["started_at"]):
            yield f"attempts {before['number']} and {after['number']} held it at once"
    finishes = [attempt["number"] for attempt in attempts if attempt["outcome"] == "succeeded"]
    if len(finishes) > 1:
        yield f"attempts {finishes} all finished it"
    if history.job["state"] == "succeeded" and finishes != numbers[-1:]:
        yield f"attempts {finishes} finished it, the last one is {numbers[-1]}"
    begun = [event for event in _moves(history) if event["data"]["to"] == "running"]
    if len(begun) != len(attempts):
        yield f"{len(attempts)} attempts, {len(begun)} beginnings"
    names = [file["name"] for file, _ in history.files]
    if len(set(names)) != len(names):
        yield f"files come twice: {sorted(names)}"


def _regressions(history: JobHistory) -> Iterator[str]:
    """History only grows, an end is an end, and interrupted equals uninterrupted."""
    assert history.job is not None
    sequences = [event["sequence"] for event in history.events]
    if sequences != list(range(1, len(sequences) + 1)) or history.job["last_event"] != len(sequences):
        yield f"events are numbered {sequences}, the last should be {history.job['last_event']}"
    if history.seen != history.events[: len(history.seen)]:
        yield "events that were read before have changed"
    if [last for _, last in history.glances] != sorted(last for _, last in history.glances):
        yield "the last event went back"
    yield from _wrong_moves(history)
    owners = [event["attempt"] for event in history.events]
    if owners != sorted(owners):
        yield "an attempt wrote after its successor had begun"
    digest = (history.job["result"] or {}).get("digest")
    if history.job["state"] == "succeeded" and history.plan.digest not in {None, digest}:
        yield f"the result is {digest}, uninterrupted it is {history.plan.digest}"


def _wrong_moves(history: JobHistory) -> Iterator[str]:
    state = None
    retries = 0
    for event in _moves(history):
        source, target = event["data"]["from"], event["data"]["to"]
        if source != state:
            yield f"event {event['sequence']} moves from {source}, but the job was {state}"
        if source is not None and (source, target) not in MOVES:
            yield f"event {event['sequence']} moves from {source} to {target}"
        retries += source in TERMINAL
        state = target
    if retries > history.asked.count("retry") or retries < history.answered.count("retry"):
        sent, accepted = history.asked.count("retry"), history.answered.count("retry")
        yield f"it left its end {retries} times; {sent} retries were asked for, {accepted} accepted"
    if history.job is not None and state != history.job["state"]:
        yield f"its events end as {state}, the job is {history.job['state']}"


def _lost_work(history: JobHistory, store_faults: list[Window]) -> Iterator[tuple[int, str | None]]:
    """Of each attempt that followed a lost one: steps done again, and what is wrong with that."""
    assert history.job is not None
    attempts = history.job["attempts"]
    for before, after in pairwise(attempts):
        stage, step = before["last_stage"], before["last_step"]
        if stage is None or step is None or history.plan.digest is None:
            continue
        resumed = [one for one in after["resumed_from"] or [] if one["stage"] == stage]
        if any(one["final"] for one in resumed):
            yield 0, None
            continue
        if after["last_stage"] is None:
            continue  # It never came to say from where it went on.
        begun = max((one["step"] for one in resumed), default=0)
        published = max(_published(history, stage, before["number"]), default=0)
        span = (_time(before["started_at"]), _time(after["started_at"]))
        if begun < published and not _damaged(history, after["number"]):
            yield step - begun, f"attempt {after['number']} began at {stage} {begun}, published was {published}"
        # What was written when the end came may have been on its way to the store: a second interval at most.
        elif step - begun > 2 * history.plan.every and not _overlaps(span, store_faults):
            yield step - begun, f"attempt {after['number']} did {step - begun} steps of {stage} again"
        else:
            yield max(0, step - begun), None


def _published(history: JobHistory, stage: str, attempt: int) -> list[int]:
    return [
        event["data"]["step"]
        for event in history.events
        if event["kind"] == "checkpoint" and event["attempt"] <= attempt and event["data"]["stage"] == stage
    ]


def _damaged(history: JobHistory, attempt: int) -> bool:
    logs = [event for event in history.events if event["kind"] == "log" and event["attempt"] <= attempt]
    return any(event["data"].get("code") == "checkpoint_damaged" for event in logs)


def _moves(history: JobHistory) -> list[Json]:
    return [event for event in history.events if event["kind"] == "state"]


def _overlaps(span: Window, windows: list[Window]) -> bool:
    return any(begin <= span[1] and end >= span[0] for begin, end in windows)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)

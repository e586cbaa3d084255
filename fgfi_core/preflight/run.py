"""Run the checks of a phase, tell what they found, and stop the job where one of them refuses."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from fgfi_core import atomic, events
from fgfi_core.errors import BadData, BadSpec, JobError
from fgfi_core.preflight.check import Check, Subject, Verdict
from fgfi_core.preflight.checks import CHECKS
from fgfi_core.preflight.report import FILE, Finding, Phase, PreflightReport
from fgfi_core.training.artifact import artifact
from fgfi_core.training.checkpoint import describe, kept_random_state
from fgfi_core.training.trainings import Bench, Finished


def before_training(bench: Bench) -> dict[str, float]:
    """The first phase; returns what it measured. Raises what the refusals ask for, all of them in one message."""
    return _phase(Subject(bench), "start").numbers("start")


def before_students(bench: Bench, teacher: Finished) -> None:
    """The second phase, once the teacher is trained or loaded. Raises as the first."""
    _phase(Subject(bench, teacher), "teacher")


def _phase(subject: Subject, phase: Phase) -> PreflightReport:
    """What a continued run found out before is not found out again."""
    bench = subject.bench
    report = _read(bench.out_dir)
    if phase not in report.phases or any(finding.phase == phase for finding in report.refused()):
        refusals: list[tuple[Finding, type[JobError]]] = []
        findings: list[Finding] = []
        with kept_random_state():
            for finding, error in _findings(subject, phase):
                findings.append(finding)
                _tell(bench, finding)
                if finding.severity == "refused":
                    refusals.append((finding, error))
        report = report.with_phase(phase, tuple(findings))
        _write(report, bench)
        _raise(refusals)
    return report


def _findings(subject: Subject, phase: Phase) -> Iterator[tuple[Finding, type[JobError]]]:
    refused: set[str] = set()
    said: set[str] = set()
    for check in CHECKS[phase]:
        if refused & set(check.after):
            continue
        for verdict in _verdicts(check, subject):
            severity = verdict.severity
            # A broken image stops every check that comes upon it, and is one thing to mend.
            if severity == "refused" and verdict.message in said:
                refused.add(check.name)
                continue
            said.add(verdict.message)
            if severity == "refused" and verdict.judgement and subject.bench.resolved.spec.preflight.force:
                severity = "warning"
            if severity == "refused":
                refused.add(check.name)
            finding = Finding(
                check=check.name,
                phase=phase,
                severity=severity,
                message=verdict.message,
                hint=verdict.hint,
                numbers=dict(verdict.numbers),
            )
            yield finding, verdict.error


def _verdicts(check: Check, subject: Subject) -> Iterator[Verdict]:
    """A check's own, and for what it ran into a refusal."""
    try:
        yield from check.run(subject)
    except (BadSpec, BadData) as error:
        yield Verdict("refused", error.message, hint=error.hint, error=type(error))


def _tell(bench: Bench, finding: Finding) -> None:
    text = f"{finding.message} {finding.hint}".strip()
    level = "error" if finding.severity == "refused" else "warning" if finding.severity == "warning" else "info"
    bench.emit(events.Log(level=level, message=text, code=finding.check))


def _raise(refusals: Sequence[tuple[Finding, type[JobError]]]) -> None:
    if not refusals:
        return
    first, error = refusals[0]
    if len(refusals) == 1:
        raise error(first.message, hint=first.hint)
    messages = "; ".join(f"({number}) {one.message}" for number, (one, _) in enumerate(refusals, start=1))
    hints = " ".join(f"({number}) {one.hint}" for number, (one, _) in enumerate(refusals, start=1) if one.hint)
    raise error(f"the pre-flight refuses {len(refusals)} things: {messages}", hint=hints)


def _read(out_dir: Path) -> PreflightReport:
    """The report of an earlier call; an empty one when there is none, or an older program wrote it."""
    try:
        return PreflightReport.model_validate_json((out_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return PreflightReport()


def _write(report: PreflightReport, bench: Bench) -> None:
    # A new file, for the one of the first phase may still be on its way to the store.
    atomic.write_text(bench.out_dir / FILE, report.model_dump_json(indent=1))
    facts = {"warnings": float(len(report.warnings())), "refused": float(len(report.refused()))}
    bench.emit(artifact(bench.out_dir, FILE, "json", facts))
    bench.emit(describe(bench.out_dir, FILE, stage="preflight", seed=bench.resolved.spec.seeds[0]))

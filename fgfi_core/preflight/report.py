"""What the pre-flight found, as data: `preflight.json` of a run. Imports no torch."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FILE = "preflight.json"

Severity = Literal["ok", "warning", "refused"]
Phase = Literal["start", "teacher"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(_Part):
    """What one check saw.

    phase: `start`, before any training, or `teacher`, once the teacher is trained or loaded. hint: what to do about
    it; empty where nothing is wrong. numbers: what was measured; names with `/` are of one level or class.
    """

    check: str
    phase: Phase
    severity: Severity
    message: str
    hint: str = ""
    numbers: dict[str, float] = Field(default_factory=dict)


class PreflightReport(_Part):
    """All findings, in the order of the checks. phases: those that are over."""

    findings: tuple[Finding, ...] = ()
    phases: tuple[Phase, ...] = ()

    def refused(self) -> tuple[Finding, ...]:
        """The findings that stop the job."""
        return tuple(finding for finding in self.findings if finding.severity == "refused")

    def warnings(self) -> tuple[Finding, ...]:
        """The findings that it goes on with."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def numbers(self, phase: Phase) -> dict[str, float]:
        """Everything that was measured in a phase."""
        return {name: number for one in self.findings if one.phase == phase for name, number in one.numbers.items()}

    def estimate(self) -> dict[str, float]:
        """Seconds of each stage and in all, and bytes of disk, where they were estimated: their names end so."""
        units = ("_seconds", "_bytes")
        return {name: number for name, number in self.numbers("start").items() if name.endswith(units)}

    def with_phase(self, phase: Phase, findings: tuple[Finding, ...]) -> "PreflightReport":
        """The same with what a phase found, in place of what it found before."""
        others = tuple(finding for finding in self.findings if finding.phase != phase)
        phases = (*(one for one in self.phases if one != phase), phase)
        return PreflightReport(findings=others + findings, phases=phases)

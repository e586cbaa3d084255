"""What the pre-flight found, as the report tells it: read from the run's `preflight.json`, whatever else that holds."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = "preflight.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Finding(_Part):
    """What one check saw. hint: what to do about it. numbers: what was measured, by name."""

    check: str
    severity: Literal["ok", "warning", "refused"]
    message: str
    hint: str = ""
    numbers: dict[str, float] = Field(default_factory=dict)


class Findings(_Part):
    """All of them, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def worst_first(self) -> tuple[Finding, ...]:
        """What needs reading first; within a severity the order stays."""
        rank = {"refused": 0, "warning": 1, "ok": 2}
        return tuple(sorted(self.findings, key=lambda finding: rank[finding.severity]))


def read(out_dir: Path) -> Findings | None:
    """The findings of a run; None where it has no such file, or one of a layout that is not known here."""
    try:
        return Findings.model_validate_json((out_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None

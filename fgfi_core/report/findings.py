"""What the pre-flight found, as the report tells it."""

from pathlib import Path

from pydantic import ValidationError

from fgfi_core.preflight.report import FILE, Finding, PreflightReport, Severity

RANK: dict[Severity, int] = {"refused": 0, "warning": 1, "ok": 2}


def read(out_dir: Path) -> PreflightReport | None:
    """The findings of a run; None where it has no such file, or one that another version wrote."""
    try:
        return PreflightReport.model_validate_json((out_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def worst_first(report: PreflightReport) -> list[Finding]:
    """What needs reading first; within a severity the order of the checks stays."""
    return sorted(report.findings, key=lambda finding: RANK[finding.severity])

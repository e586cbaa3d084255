import subprocess
import sys

from fgfi_core.preflight.report import Finding, PreflightReport


def finding(check: str, *, phase: str = "start", severity: str = "ok", **numbers: float) -> Finding:
    return Finding.model_validate(
        {"check": check, "phase": phase, "severity": severity, "message": check, "numbers": numbers}
    )


def test_a_report_survives_its_json() -> None:
    report = PreflightReport().with_phase("start", (finding("disk", disk_bytes=3.0),))
    assert PreflightReport.model_validate_json(report.model_dump_json()) == report


def test_a_phase_found_again_takes_the_place_of_what_it_found_before() -> None:
    report = PreflightReport().with_phase("start", (finding("boxes"),))
    report = report.with_phase("teacher", (finding("teacher", phase="teacher", severity="refused"),))
    report = report.with_phase("teacher", (finding("teacher", phase="teacher", severity="warning"),))
    assert [(one.check, one.severity) for one in report.findings] == [("boxes", "ok"), ("teacher", "warning")]
    assert report.phases == ("start", "teacher")
    assert not report.refused()


def test_the_estimate_is_what_was_measured_in_seconds_and_bytes() -> None:
    found = (finding("estimate", total_seconds=9.0), finding("disk", disk_bytes=3.0), finding("boxes", train_boxes=2))
    assert PreflightReport(findings=found).estimate() == {"total_seconds": 9.0, "disk_bytes": 3.0}


def test_a_report_can_be_read_where_torch_is_not_installed() -> None:
    program = "import sys; sys.modules['torch'] = sys.modules['numpy'] = None; import fgfi_core.preflight.report"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr

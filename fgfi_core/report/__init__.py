"""What a person reads after a job: one self-contained HTML report, and pictures."""

from fgfi_core.report.inputs import ReportInputs
from fgfi_core.report.write import write

__all__ = ["ReportInputs", "write"]

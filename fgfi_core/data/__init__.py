"""Data sets on disk to one typed `Dataset`, and from there to batches. Light to import: no torch."""

from fgfi_core.data.check import DatasetReport, check
from fgfi_core.data.dataset import Dataset, Example, Problem
from fgfi_core.data.formats import read, scan

__all__ = ["Dataset", "DatasetReport", "Example", "Problem", "check", "read", "scan"]

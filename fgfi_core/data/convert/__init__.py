"""Write a data set in another format. Light to import: no torch."""

from fgfi_core.data.convert.conversion import FORMATS, Converted, Format, convert
from fgfi_core.data.convert.output import Copy, Loss

__all__ = ["FORMATS", "Converted", "Copy", "Format", "Loss", "convert"]

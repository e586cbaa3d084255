"""What is delivered: the student alone, as safetensors and ONNX, each measured again after it was written."""

from fgfi_core.export.measure import DetectFn
from fgfi_core.export.stage import export_all

__all__ = ["DetectFn", "export_all"]

"""What is delivered: the student alone, as safetensors and ONNX, each measured again after it was written."""

from fgfi_core.export.export import export_all
from fgfi_core.export.measure import DetectFn

__all__ = ["DetectFn", "export_all"]

"""The student as one ONNX file, decoding and non-maximum suppression inside."""

import copy
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnx.compose
import onnx.helper
import torch
from torch import Tensor, nn

from fgfi_core.atomic import replacing
from fgfi_core.detectors import Detector
from fgfi_core.export import suppression
from fgfi_core.export.session import Session

__all__ = ["Session", "write"]


def write(detector: Detector, classes: Sequence[str], path: Path) -> Path:
    """Write `detector` to `path`; onnxruntime then finds what `detector.detect` finds.

    Input `images`: [B, 3, H, W] float32 RGB in [0, 1] at the detector's image_size, any B. Outputs, N being the most
    that can be found: `boxes` [B, N, 4] xyxy pixels of the input, `scores` [B, N], `labels` [B, N] int64, best first,
    and `count` [B] int64, how many of them are real. Class names, detector, image_size and resize
    are in the file's metadata; resize is `stretch`, or `fit`: the image, aspect ratio kept, in the upper left corner.
    """
    raw = _Raw(copy.deepcopy(detector)).eval()
    width, height = detector.image_size
    images = torch.zeros(2, 3, height, width, device=next(raw.parameters()).device)
    with torch.no_grad():
        boxes, scores = raw(images)
    heads = _exported(raw, images)
    select = suppression.graph(detector.selection, boxes.shape[1], scores.shape[2], heads.ir_version)
    names = ("all_boxes", "all_scores")
    model = onnx.compose.merge_models(heads, select, io_map=[(name, name) for name in names])
    onnx.helper.set_model_props(
        model,
        {
            "format": "fgfi-student",
            "version": "1",
            "detector": detector.name,
            "classes": json.dumps(list(classes)),
            "image_size": json.dumps(list(detector.image_size)),
            "resize": detector.resize,
            "input": "float32 NCHW, RGB in [0, 1], normalised inside",
        },
    )
    onnx.checker.check_model(model, full_check=True)
    with replacing(path) as draft:
        onnx.save(model, draft)
    return path


class _Raw(nn.Module):
    """Images to all decoded boxes and scores; selection is added as a graph of its own."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.detector.decode(self.detector.heads(self.detector.features(images)))


def _exported(raw: _Raw, images: Tensor) -> onnx.ModelProto:
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "heads.onnx"
        # The exporter by tracing is deprecated, but its successor needs one more dependency for the same graph.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"torch\.onnx|fgfi_core\.export")
        # It says when it cannot compute a part of the graph in advance; onnxruntime then does, when it loads the file.
        warnings.filterwarnings("ignore", message="Constant folding", category=UserWarning)
        torch.onnx.export(
            raw,
            (images,),
            path,
            dynamo=False,
            opset_version=suppression.OPSET,
            input_names=["images"],
            output_names=["all_boxes", "all_scores"],
            dynamic_axes={name: {0: "batch"} for name in ("images", "all_boxes", "all_scores")},
        )
        return onnx.load(path)

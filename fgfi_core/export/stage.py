"""The export stage: write each format, load what was written, and measure that."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from fgfi_core.detectors import Detections, Detector
from fgfi_core.export import onnx, safetensors
from fgfi_core.export.measure import DetectFn, latency, parity, torch_threads
from fgfi_core.results import Export

Format = Literal["safetensors", "onnx"]

ONNX = "student.onnx"


def export_all(
    detector: Detector,
    classes: Sequence[str],
    formats: Sequence[Format],
    folder: Path,
    images: Tensor,
    score: Callable[[DetectFn], float],
    *,
    threads: int = 1,
) -> tuple[Export, ...]:
    """Write `detector` in each format into `folder`, and measure every file by running it on the CPU.

    classes: names, in order of the labels. images: [N, 3, H, W] float32 RGB in [0, 1], on which detections are
    compared; the first one is timed. score: mAP at IoU 0.5 of a detecting function. threads: for everything that runs.
    `Export.path` is relative to `folder`'s parent. The detector itself is left as it is.
    """
    deployed = copy.deepcopy(detector).to("cpu", torch.float32).to(memory_format=torch.contiguous_format).eval()
    images = images.to("cpu", torch.float32)
    with torch_threads(threads):
        return tuple(
            _measured(format_, path, detect, _running(deployed), images, score)
            for format_ in formats
            for path, detect in [_written(format_, deployed, classes, folder, threads)]
        )


def _written(
    format_: Format, detector: Detector, classes: Sequence[str], folder: Path, threads: int
) -> tuple[Path, DetectFn]:
    """The file, and a function that runs that very file."""
    if format_ == "safetensors":
        path, _ = safetensors.write(detector, classes, folder)
        read, _ = safetensors.read(folder)
        return path, _running(read)
    path = onnx.write(detector, classes, folder / ONNX)
    session = onnx.Session(path, threads)

    def detect(images: Tensor) -> list[Detections]:
        return [Detections(*(torch.from_numpy(part) for part in found)) for found in session.detect(images.numpy())]

    return path, detect


def _running(detector: Detector) -> DetectFn:
    def detect(images: Tensor) -> list[Detections]:
        with torch.inference_mode():
            return detector.detect(images)

    return detect


def _measured(
    format_: Format,
    path: Path,
    exported: DetectFn,
    trained: DetectFn,
    images: Tensor,
    score: Callable[[DetectFn], float],
) -> Export:
    compared = parity(trained, exported, images)
    content = path.read_bytes()
    return Export(
        format=format_,
        path=path.relative_to(path.parent.parent).as_posix(),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        map50=score(exported),
        latency_ms=latency(exported, images[:1]),
        parity=compared.holds,
        max_box_difference=compared.max_box_difference,
    )

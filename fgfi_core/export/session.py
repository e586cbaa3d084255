"""Running an exported ONNX student with onnxruntime."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fgfi_core.data.frame import Frame
from fgfi_core.errors import BadData

OUTPUTS = ["boxes", "scores", "labels", "count"]


class Found(NamedTuple):
    """Detections of one image, best first. boxes: [N, 4] xyxy pixels of the input; scores, labels: [N]."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


class Session:
    """An exported student on the CPU. threads: that onnxruntime may use.

    `classes`, `image_size` (width, height) and `frame`, the input in which images lie, are those of the file. Raises
    BadData when it is not a student.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            content = path.read_bytes()
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise BadData(f"{path} cannot be read: {error.strerror}.") from error
        except Exception as error:  # onnxruntime's errors have no common class below Exception
            raise BadData(f"{path} cannot be read as ONNX: {error}.", hint="Export it again.") from error
        facts = self._session.get_modelmeta().custom_metadata_map
        if facts.get("format") != "fgfi-student" or [o.name for o in self._session.get_outputs()] != OUTPUTS:
            raise BadData(f"{path} is an ONNX model, but not an exported student.")
        self.classes: tuple[str, ...] = tuple(json.loads(facts["classes"]))
        width, height = json.loads(facts["image_size"])
        self.image_size: tuple[int, int] = (width, height)
        self.frame = Frame(self.image_size, "fit" if facts.get("resize") == "fit" else "stretch")

    def detect(self, images: NDArray[np.float32]) -> list[Found]:
        """Detections of a batch; images: [B, 3, H, W] RGB in [0, 1] at `image_size`."""
        boxes, scores, labels, count = self._session.run(OUTPUTS, {"images": images})
        return [Found(boxes[i, :n], scores[i, :n], labels[i, :n]) for i, n in enumerate(count)]

"""What the downloaded student sees: its detections drawn over images that it was not trained on."""

from pathlib import Path

from client.errors import ClientError

_SCORE = 0.4


def draw(student: Path, data: Path, split: str, count: int, out: Path) -> list[Path]:
    """Run the student (ONNX) on images of a split and write a picture of each. Raises ClientError."""
    try:
        # On demand: only the demo runs a detector here.
        import numpy as np  # noqa: PLC0415

        from fgfi_core import data as reader  # noqa: PLC0415
        from fgfi_core.data import images  # noqa: PLC0415
        from fgfi_core.errors import BadData  # noqa: PLC0415
        from fgfi_core.evaluation.detections import ImageDetections  # noqa: PLC0415
        from fgfi_core.export.onnx import Session  # noqa: PLC0415
        from fgfi_core.report.pictures import draw_detections  # noqa: PLC0415
    except ImportError as error:
        raise ClientError(f"the student cannot be run here: {error}", hints=("install the extra `train`",)) from error
    try:
        examples = reader.read(data).splits[split]
    except BadData as error:
        raise ClientError(error.message, hints=(error.hint,) if error.hint else ()) from error
    session = Session(student)
    paths = []
    # Spread over the split rather than its first ones, which often come from one slide.
    for example in examples[:: max(1, len(examples) // count)][:count]:
        pixels = images.framed(example.path, session.frame)
        found = session.detect(pixels.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))[0]
        boxes = session.frame.to_image(found.boxes, (example.width, example.height))
        detections = ImageDetections(boxes, found.scores, found.labels)
        # An id may be a path inside the data set.
        path = out / f"{example.image_id.replace('/', '-')}.png"
        draw_detections(example.path, detections, session.classes, threshold=_SCORE).save(path)
        paths.append(path)
    return paths

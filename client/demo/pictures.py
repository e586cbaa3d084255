"""What the downloaded student sees: its detections drawn over images that it was not trained on."""

from pathlib import Path

from client.errors import ClientError

_SCORE = 0.4


def draw(student: Path, data: Path, split: str, count: int, out: Path) -> list[Path]:
    """Run the student (ONNX) on images of a split and write a picture of each. Raises ClientError."""
    try:
        # On demand: only the demo runs a detector here.
        from fgfi_core.export.onnx import Session  # noqa: PLC0415

        from fgfi_core import data as reader  # noqa: PLC0415
        from fgfi_core.errors import BadData  # noqa: PLC0415
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
        picture = draw_detections(example.path, session.detect(example.path), session.classes, threshold=_SCORE)
        path = out / f"{example.image_id}.png"
        picture.save(path)
        paths.append(path)
    return paths

from collections.abc import Callable
from pathlib import Path

from fgfi_core.preflight import map_shapes
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_shapes_strides_and_the_resize_between_them_are_told(spec: Spec, images: Path, subject: MakeSubject) -> None:
    larger = spec(teacher={"detector": "ssd-shufflenetv2-0.5x", "image_size": [96, 96]})
    (verdict,) = map_shapes.check(subject(larger, images))
    assert verdict.severity == "ok"
    assert verdict.numbers["level0/student_width"] == 4
    assert verdict.numbers["level0/teacher_width"] == 6
    assert verdict.numbers["level0/resize"] == 1.5
    assert verdict.numbers["level0/student_stride"] == verdict.numbers["level0/teacher_stride"] == 16
    assert "48 x 4 x 4 imitates 96 x 6 x 6" in verdict.message

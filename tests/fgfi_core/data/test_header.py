"""Sizes from the first bytes are Pillow's own, or left to it."""

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fgfi_core.data import header
from fgfi_core.data.images import SUFFIXES


def written(path: Path, kind: str, **options: Any) -> Path:
    Image.new("RGB", (37, 21), "grey").save(path, kind, **options)
    return path


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + b"\xff\xc0\0\x11" * 9000}),
        ("JPEG", {"comment": "a" * 60_000, "icc_profile": b"\xff" * 100_000}),
    ],
)
def test_the_size_is_read_past_whatever_stands_before_it(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    assert header.size(written(tmp_path / "a", kind, **options)) == (37, 21)


@pytest.mark.parametrize("kind", ["BMP", "WEBP", "GIF"])
def test_other_formats_are_left_to_pillow(tmp_path: Path, kind: str) -> None:
    assert header.size(written(tmp_path / "a", kind)) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_header_that_is_cut_short_is_left_to_pillow(tmp_path: Path, kind: str) -> None:
    whole = written(tmp_path / "a", kind).read_bytes()
    sizes = set()
    for length in range(0, len(whole), 7):
        (tmp_path / "a").write_bytes(whole[:length])
        sizes.add(header.size(tmp_path / "a"))
    assert sizes == {None, (37, 21)}


@given(st.binary(max_size=40), st.integers(0, 400), st.binary(max_size=4))
def test_a_changed_header_is_read_as_pillow_reads_it_or_left_to_it(rest: bytes, at: int, change: bytes) -> None:
    buffer = io.BytesIO()
    Image.new("L", (37, 21)).save(buffer, "JPEG")
    content = bytearray(buffer.getvalue() + rest)
    content[at : at + len(change)] = change
    found = header.jpeg(io.BytesIO(content[:]))
    if found is None:
        return
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            assert image.size == found
    except (OSError, SyntaxError):
        # What Pillow refuses is found when the image is decoded.
        pass


@pytest.mark.parametrize("name", ["bccd", "deeppcb", "kitti_tiny", "voc2012_100", "tiny_coco"])
def test_real_images_are_all_read_fast_and_right(real_data: Path, name: str) -> None:
    paths = [path for path in (real_data / name).rglob("*") if path.suffix in SUFFIXES][:100]
    assert paths
    for path in paths:
        with Image.open(path) as image:
            assert header.size(path) == image.size

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgfi_core.data import images
from fgfi_core.data.frame import FILL, Frame
from fgfi_core.errors import BadData


def test_size_comes_from_the_header(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    assert images.size(tmp_path / "a.png") == (30, 20)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new("RGB", (4, 4), (255, 255, 255)).convert(mode).save(tmp_path / f"a.{suffix}")
    out = images.framed(tmp_path / f"a.{suffix}", Frame((8, 6)))
    assert out.shape == (6, 8, 3)
    assert out.min() > 250


def test_sixteen_bit_grey_keeps_its_scale(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 128 * 256, np.uint16)).save(tmp_path / "a.png")
    assert images.framed(tmp_path / "a.png", Frame((4, 4))).tolist() == [[[128] * 3] * 4] * 4


def test_a_fitted_image_keeps_its_shape_and_the_rest_is_the_mean_colour(tmp_path: Path) -> None:
    Image.new("RGB", (10, 20), (255, 0, 0)).save(tmp_path / "a.png")
    out = images.framed(tmp_path / "a.png", Frame((16, 8), "fit"))
    assert out.shape == (8, 16, 3)
    assert (out[:, :4] == (255, 0, 0)).all()
    assert (out[:, 4:] == FILL).all()


def test_an_image_of_too_many_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    Image.new("1", (9000, 9000)).save(tmp_path / "bomb.png")
    with pytest.raises(BadData, match=r"bomb\.png: 9000x9000 is more than 64 Mi pixels"):
        images.decode(tmp_path / "bomb.png")


def test_a_bomb_beyond_the_decoders_own_limit_is_refused_too(tmp_path: Path) -> None:
    Image.new("1", (20000, 10000)).save(tmp_path / "bomb.png")
    with pytest.raises(BadData, match=r"bomb\.png: the image is too large"):
        images.decode(tmp_path / "bomb.png")


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"ghost\.png: there is no such image"):
        images.decode(tmp_path / "ghost.png")


def test_formats_outside_the_list_are_not_opened(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.gif")
    with pytest.raises(BadData, match=r"a\.gif: not an image in a format we read"):
        images.decode(tmp_path / "a.gif")

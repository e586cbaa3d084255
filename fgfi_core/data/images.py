"""Image files to RGB arrays: known formats only, limited in pixels, every failure named."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fgfi_core.data import header
from fgfi_core.data.frame import Frame, padded
from fgfi_core.errors import BadData

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp", "WEBP": ".webp"}
# Decoded as RGB this is 192 MiB; larger files are rather attacks than photographs for a detector.
MAX_PIXELS = 64 * 2**20


def size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels from the file's header, without decoding it. Raises BadData."""
    try:
        found = header.size(path)
    except OSError:
        # Pillow meets the same, and the words for it are below.
        found = None
    if found is not None and found[0] * found[1] <= MAX_PIXELS:
        return found
    with _open(path) as image:
        return image.size


def suffix(path: Path) -> str:
    """The file suffix of the format that the content has, whatever the file is called. Raises BadData."""
    with _open(path) as image:
        return _SUFFIX[image.format or ""]


def decode(path: Path) -> Image.Image:
    """Decode a whole image as RGB; orientation tags are not applied, as boxes are drawn on the stored pixels.

    Raises BadData when the file is missing, broken, cut short, of another format or above MAX_PIXELS.
    """
    with _open(path) as image:
        try:
            image.load()
            return _rgb(image)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise BadData(f"{path.name}: the image is broken: {error}.", hint="Replace or remove the file.") from error


def framed(path: Path, frame: Frame) -> NDArray[np.uint8]:
    """Decode and bring into the frame: [height, width, 3] uint8 RGB of its size, bilinear with antialias.

    Training, evaluation and the exported files' users all prepare images through this one function. Raises BadData.
    """
    image = decode(path)
    content = frame.content(image.size)
    if image.size != content:
        image = image.resize(content, Image.Resampling.BILINEAR)
    return padded(np.array(image, dtype=np.uint8), frame.size)


def _open(path: Path) -> Image.Image:
    try:
        image = Image.open(path, formats=FORMATS)
    except FileNotFoundError:
        raise BadData(f"{path.name}: there is no such image.") from None
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise BadData(f"{path.name}: not an image in a format we read ({known}).", hint="Convert the file.") from None
    # Pillow warns first and raises later; where warnings are errors the warning arrives here too.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadData(f"{path.name}: the image is too large: {error}.") from error
    except OSError as error:
        raise BadData(f"{path.name}: cannot be read: {error}.") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise BadData(f"{path.name}: {width}x{height} is more than {MAX_PIXELS // 2**20} Mi pixels.")
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255, which turns most such images white.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")

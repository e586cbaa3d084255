"""A file of weights as it arrives: its header is read and checked before the first byte is stored."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from fastapi import Request

from api.problems import FieldError, Problem
from fgfi_core.spec import DETECTORS
from store import safetensors_header
from store.models import Architecture
from store.safetensors_header import PREFIX, Header

MAX_CLASSES = 2000
MAX_SHAPES = 64
Fact = TypeVar("Fact")


async def header_of(chunks: AsyncIterator[bytes]) -> tuple[Header, bytes]:
    """The header, and the bytes read so far. Raises NotSafetensors, BadModelFile; Problem 422 for an empty body."""
    head = b""
    needed: int | None = None
    async for chunk in chunks:
        head += chunk
        if needed is None and len(head) > PREFIX:
            needed = safetensors_header.length(head)
        if needed is not None and len(head) >= needed:
            break
    if not head:
        hint = "Send the file's bytes, or {from_job, role} as application/json."
        raise Problem(422, "empty_upload", "The upload is empty.", hint=hint)
    return safetensors_header.parse(head), head


async def whole_body(request: Request, limit: int) -> bytes:
    """A body that is no upload. Raises Problem 413."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, "too_large", f"The request's body is larger than the {limit} bytes this call takes.")
    return body


def architecture(
    header: Header,
    detector: str | None,
    classes: Sequence[str],
    image_size: str | None,
    anchors: Sequence[str],
) -> Architecture:
    """What the request declares, filled up by what the file says of itself. Raises Problem 422, field by field."""
    told = _Told(header.metadata)
    name = told.settle("detector", detector, _known_detector)
    labels = told.settle("class", tuple(classes) or None, _classes, key="classes")
    width_height = told.settle("image_size", _numbers(image_size, "x"), _image_size)
    shapes = told.settle("anchor", tuple(_numbers(a, "x") or () for a in anchors) or None, _shapes, key="anchor_shapes")
    info = DETECTORS.get(name or "")
    if name is None:
        told.wrong("detector", "is required", "Name the detector that these weights are of; GET /v1/detectors.")
    if labels is None:
        told.wrong("class", "is required", "Name every class in the order of the outputs: class=car&class=person.")
    if info is not None and info.anchor_shapes and not shapes:
        hint = f"'{info.name}' has {info.anchor_shapes} anchor shapes a cell: anchor=16x12&anchor=..., in pixels."
        told.wrong("anchor", "is required", hint)
    if info is not None and not info.anchor_shapes and shapes:
        told.wrong("anchor", f"'{info.name}' has scales of its own and takes none", "Leave it out.")
    if info is not None and info.anchor_shapes and image_size is None and width_height is None:
        told.wrong("image_size", "is required", "Its anchor shapes are pixels at this size: image_size=320x240.")
    if told.errors or info is None or labels is None:
        detail = "; ".join(f"{error.path}: {error.message}" for error in told.errors)
        raise Problem(422, "invalid", detail, errors=tuple(told.errors))
    return Architecture(info.name, labels, width_height or info.reference_size, shapes or ())


class _Told:
    """What the file's metadata say, and what is wrong with the request so far."""

    def __init__(self, metadata: Any) -> None:
        self._metadata = metadata
        self.errors: list[FieldError] = []

    def wrong(self, path: str, message: str, hint: str) -> None:
        self.errors.append(FieldError(path=path, message=message, hint=hint))

    def settle(self, path: str, declared: Any, read: Any, *, key: str = "") -> Any:
        """The value of a fact; None where neither says it. Both may, if they say the same."""
        key = key or path
        in_file = None
        if key in self._metadata:
            try:
                text = self._metadata[key]
                in_file = read(text if key == "detector" else json.loads(text))
            except (ValueError, TypeError, RecursionError):
                in_file = None  # Somebody else's metadata of the same name: it has to be declared.
        if declared is None:
            return in_file
        try:
            value = read(declared)
        except (ValueError, TypeError) as error:
            self.wrong(path, str(error), "")
            return None
        if in_file is not None and in_file not in ((), value):
            self.wrong(path, f"the file says {_shown(in_file)}, not {_shown(value)}", f"Leave '{path}' out.")
        return value


def _known_detector(name: Any) -> str:
    if name not in DETECTORS:
        raise ValueError(f"there is no detector '{str(name)[:80]}'; known: {', '.join(DETECTORS)}")
    return str(name)


def _classes(names: Any) -> tuple[str, ...]:
    found = tuple(names) if isinstance(names, list | tuple) else ()
    if not found or len(found) > MAX_CLASSES:
        raise ValueError(f"has {len(found)} classes; 1 to {MAX_CLASSES} are taken")
    if not all(isinstance(one, str) and one and len(one) <= 200 and "\x00" not in one for one in found):
        raise ValueError("a class is a text of 1 to 200 characters")
    if len(set(found)) != len(found):
        raise ValueError("has the same class twice")
    return found


def _image_size(value: Any) -> tuple[int, int]:
    width, height = value
    if not all(32 <= side <= 4096 and side == int(side) for side in (width, height)):
        raise ValueError("is WIDTHxHEIGHT in pixels, each from 32 to 4096")
    return int(width), int(height)


def _shapes(value: Any) -> tuple[tuple[float, float], ...]:
    shapes = tuple((float(width), float(height)) for width, height in value)
    if len(shapes) > MAX_SHAPES or not all(0 < side <= 8192 for shape in shapes for side in shape):
        raise ValueError(f"is WIDTHxHEIGHT in pixels, above 0, at most {MAX_SHAPES} of them")
    return shapes


def _numbers(text: str | None, between: str) -> tuple[float, ...] | None:
    """A text such as 320x240 as numbers; empty, which nothing takes, where it is none."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.lower().split(between))
    except ValueError:
        return ()


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"'{text[:200]}'"

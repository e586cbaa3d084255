"""`fgfi region`: pictures of where a student would imitate, without training anything."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.errors import EXIT_USAGE, ClientError
from client.output import JsonOption, percent, print_json, print_table

if TYPE_CHECKING:
    from fgfi_core.report.regions import ImageRegion

_UNREACHED = 0.2
_SIZE = re.compile(r"(\d+)x(\d+)")
_UNSAFE = re.compile(r"[^\w.-]+")


class Resize(StrEnum):
    """How images come to the input's size."""

    stretch = "stretch"
    fit = "fit"


class Levels(StrEnum):
    """What several maps make of a box: see docs/methods.md."""

    joint = "joint"
    assigned = "assigned"
    separate = "separate"


def region(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Ids or files of images of the data set.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of the data set.")],
    detector: Annotated[str, typer.Option(metavar="NAME", help="The detector that imitates, from `fgfi detectors`.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures; made when missing.")],
    teacher: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose anchors and maps count; default: the same detector.")
    ] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="psi: keep IoU > psi * best IoU of the box.")] = 0.5,
    levels: Annotated[Levels, typer.Option(help="Several maps: one best IoU a box, its own level, or one each.")] = (
        Levels.joint
    ),
    image_size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Input in pixels; default: the teacher's in the catalogue.")
    ] = None,
    resize: Annotated[Resize, typer.Option(help="stretch images to the input, or fit them in, aspect kept.")] = (
        Resize.stretch
    ),
    as_json: JsonOption = False,
) -> None:
    """Draw where a student would imitate: one panel a map, with boxes and the region's share; trains nothing."""
    size = _size(image_size)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClientError(f"cannot write to {out}: {error.strerror}", exit_code=EXIT_USAGE) from error
    written = []
    for one, classes in _regions(images, data, detector, teacher, size, resize, threshold, levels):
        path = out / f"{_UNSAFE.sub('_', one.example.image_id)}.region.png"
        _draw(one, path)
        written.append(_facts(one, classes, path))
    if as_json:
        print_json(written)
        return
    rows = [
        (w["image"], " ".join(percent(level["share"]) for level in w["levels"]), *_boxes(w), w["picture"])
        for w in written
    ]
    print_table(("image", "cells, %", "boxes", "worst best IoU", "picture"), rows)


def _regions(
    images: list[str],
    data: Path,
    detector: str,
    teacher: str | None,
    size: tuple[int, int] | None,
    resize: Resize,
    threshold: float,
    levels: Levels,
) -> Iterator[tuple["ImageRegion", tuple[str, ...]]]:
    try:
        from fgfi_core import data as datasets  # noqa: PLC0415 - on demand: few commands need torch
        from fgfi_core.report import regions  # noqa: PLC0415
    except ImportError as error:
        hint = "install this package with its extra `train`"
        raise ClientError(f"pictures of regions need a package that is missing: {error}", hints=(hint,)) from error
    from fgfi_core.errors import JobError  # noqa: PLC0415

    try:
        dataset = datasets.scan(data)
        found = regions.estimate(
            dataset,
            regions.find(dataset, images),
            detector=detector,
            teacher=teacher,
            image_size=size,
            resize=resize.value,
            threshold=threshold,
            levels=levels.value,
        )
        for one in found:
            yield one, dataset.classes
    except JobError as error:
        hints = (error.hint,) if error.hint else ()
        raise ClientError(error.message, hints=hints, exit_code=EXIT_USAGE, code=error.code) from error


def _draw(one: "ImageRegion", path: Path) -> None:
    from fgfi_core.data import images  # noqa: PLC0415 - on demand, as above
    from fgfi_core.report.pictures import draw_region  # noqa: PLC0415

    captions = [
        f"stride {stride}: {mask.shape[1]} x {mask.shape[0]} cells, {percent(share)} % imitated"
        for stride, mask, share in zip(one.strides, one.masks, one.shares, strict=True)
    ]
    boxes = one.example.boxes[one.boxes]
    draw_region(images.decode(one.example.path), one.masks, boxes, captions).save(path)


def _facts(one: "ImageRegion", classes: tuple[str, ...], path: Path) -> dict[str, Any]:
    shapes = zip(one.strides, one.masks, one.shares, strict=True)
    return {
        "image": one.example.image_id,
        "picture": str(path),
        "share": one.share,
        "levels": [{"stride": s, "cells": [*mask.shape], "share": share} for s, mask, share in shapes],
        "boxes": [
            {
                "class": classes[int(one.example.labels[number])],
                "box": [float(side) for side in one.example.boxes[number]],
                "best_iou": float(one.best_iou[:, i].max()),
                "best_iou_by_level": one.best_iou[:, i].tolist(),
            }
            for i, number in enumerate(one.boxes)
        ],
    }


def _boxes(written: dict[str, Any]) -> tuple[int, str]:
    best = [box["best_iou"] for box in written["boxes"]]
    if not best:
        return 0, "-"
    return len(best), f"{min(best):.2f}{' (no anchor reaches it)' if min(best) < _UNREACHED else ''}"


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    if not match or not all(32 <= int(side) <= 4096 for side in match.groups()):
        message = f"--image-size is '{text}': give width and height from 32 to 4096, such as 320x240"
        raise ClientError(message, exit_code=EXIT_USAGE)
    return int(match[1]), int(match[2])

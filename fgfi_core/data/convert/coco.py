"""COCO: one JSON a split, images in a folder a split; in one folder `images` when splits share some.

A difficult box is marked by `ignore: 1`, a field that several tools write and read, and our reader too; a crowd by
`iscrowd`. Not held: occlusion, truncation, regions to ignore.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fgfi_core.data.coco import ANNOTATIONS, IMAGES, PREFIX
from fgfi_core.data.convert.output import Output, distinct, lose_ignored, lose_occlusion
from fgfi_core.data.dataset import Dataset, Example


def write(dataset: Dataset, output: Output) -> None:
    """Write the whole data set. Ids count from 1; an image has one in all files, classes have theirs in their order."""
    examples, classes = distinct(dataset), output.classes(dataset)
    numbers = {example.image_id: number for number, example in enumerate(examples, 1)}
    alone = len(examples) == sum(map(len, dataset.splits.values()))
    files: dict[str, str] = {}
    for split, members in dataset.splits.items():
        for example in members:
            if example.image_id not in files:
                files[example.image_id] = output.image(example, split if alone else IMAGES).name
    categories = [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, 1)]
    for split, members in dataset.splits.items():
        content = {
            "images": [_image(example, numbers, files) for example in members],
            "annotations": _numbered(members, numbers),
            "categories": categories,
        }
        output.text(f"{ANNOTATIONS}/{PREFIX}{split}.json", json.dumps(content, ensure_ascii=False))
    lose_occlusion(output, examples)
    lose_ignored(output, examples)


def _image(example: Example, numbers: Mapping[str, int], files: Mapping[str, str]) -> dict[str, Any]:
    key = example.image_id
    return {"id": numbers[key], "file_name": files[key], "width": example.width, "height": example.height}


def _numbered(examples: Sequence[Example], numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    rows = (row for example in examples for row in _annotations(example, numbers[example.image_id]))
    return [{"id": number, **row} for number, row in enumerate(rows, 1)]


def _annotations(example: Example, image: int) -> Iterator[dict[str, Any]]:
    for i, (x1, y1, x2, y2) in enumerate(example.boxes.tolist()):
        row = {
            "image_id": image,
            "category_id": int(example.labels[i]) + 1,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": float(example.area[i]),
            "iscrowd": int(example.crowd[i]),
        }
        if example.difficult[i] and not example.crowd[i]:
            row["ignore"] = 1
        yield row

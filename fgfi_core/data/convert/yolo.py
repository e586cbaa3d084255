"""YOLO: data.yaml, images/<split>/ and labels/<split>/*.txt with shares of the image's sides, every digit of them.

data.yaml knows the splits train, val and test. Others take the free one that their name begins with (train2017 is
train), or a free one when some of their images are in no other; what is left is written as a list of images beside
data.yaml. A split that shares images with others is a list too. In a split that is a folder the images come in order of
their names. Not held: difficult marks (the boxes stay), crowds (a box around many is no object and is left out),
occlusion, truncation, regions to ignore, areas of outlines.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import yaml

from fgfi_core.data.convert.output import Output, distinct, lose_areas, lose_ignored, lose_occlusion
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.yolo import CONFIG, IMAGES, label_of
from fgfi_core.data.yolo_config import SPLITS


def write(dataset: Dataset, output: Output) -> None:
    """Write the whole data set."""
    examples, classes = distinct(dataset), output.classes(dataset)
    keys = _keys(dataset)
    named = {split: key for key, split in keys.items()}
    # Those of data.yaml first, so that each image lies where data.yaml says a split is.
    order = [*keys.values(), *(split for split in dataset.splits if split not in named)]
    files: dict[str, str] = {}
    homes: dict[str, set[str]] = {}
    for split in order:
        folder = f"{IMAGES}/{named.get(split, split)}"
        new = [example for example in dataset.splits[split] if example.image_id not in files]
        homes[split] = {example.image_id for example in new}
        for example in new:
            files[example.image_id] = output.image(example, folder).as_posix()
            output.lines(label_of(files[example.image_id]), _label(example))
    config: dict[str, object] = {}
    for split in order:
        ids = [example.image_id for example in dataset.splits[split]]
        if split in named and homes[split] == set(ids):
            config[named[split]] = f"{IMAGES}/{named[split]}"
            continue
        file = f"{named.get(split, split)}.txt"
        output.lines(file, (files[key] for key in ids))
        if split in named:
            config[named[split]] = file
    config["names"] = dict(enumerate(classes))
    output.text(CONFIG, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    _lose(dataset, keys, examples, output)


def _keys(dataset: Dataset) -> dict[str, str]:
    """The split that is meant by each of data.yaml's keys, in their order."""
    keys = {key: key for key in SPLITS if key in dataset.splits}
    for split in dataset.splits:
        begins = next((key for key in SPLITS if split.lower().startswith(key) and key not in keys), None)
        if split not in keys.values() and begins is not None:
            keys[begins] = split
    held = {example.image_id for split in keys.values() for example in dataset.splits[split]}
    for split, examples in dataset.splits.items():
        free = next((key for key in SPLITS if key not in keys), None)
        if split not in keys.values() and free is not None and any(e.image_id not in held for e in examples):
            keys[free] = split
            held |= {example.image_id for example in examples}
    return {key: keys[key] for key in SPLITS if key in keys}


def _label(example: Example) -> Iterator[str]:
    size = np.array([example.width, example.height], np.float64)
    corners = example.boxes.astype(np.float64).reshape(-1, 2, 2) / size
    rows = np.hstack([corners.mean(axis=1), corners[:, 1] - corners[:, 0]])[~example.crowd].tolist()
    for label, row in zip(example.labels[~example.crowd], rows, strict=True):
        yield f"{label} {' '.join(map(repr, row))}"


def _lose(dataset: Dataset, keys: Mapping[str, str], examples: list[Example], output: Output) -> None:
    other = [f"{split} is {key}" for key, split in keys.items() if split != key]
    output.lose(f"names of splits: {', '.join(other)}", len(other))
    left = [split for split in dataset.splits if split not in keys.values()]
    output.lose(f"splits that data.yaml has no word for; lists beside it: {', '.join(left)}", len(left))
    difficult = sum(int((example.difficult & ~example.crowd).sum()) for example in examples)
    output.lose("difficult marks; the boxes stay as ordinary ones", difficult)
    output.lose(
        "crowd boxes; a box around many is no object, and is left out", sum(int(e.crowd.sum()) for e in examples)
    )
    lose_occlusion(output, examples)
    lose_ignored(output, examples)
    lose_areas(output, examples)

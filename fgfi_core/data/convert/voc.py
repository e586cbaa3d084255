"""Pascal VOC: one XML an image, lists of ids.

A box that spans x1..x2 is written as x1 + 1 .. x2, with decimals where it has them, as VOC counts pixels from 1 and
includes both ends; nothing is rounded. Not held: boxes of at most one pixel in width or height, which end before they
begin; crowds, which stay as difficult boxes; how much is occluded or truncated, of which VOC's two flags stay (our
reader passes them over); regions to ignore; classes without a box; areas of outlines.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data.convert.output import Output, distinct, lose_areas, lose_ignored, lose_occlusion
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.voc import ANNOTATIONS, IMAGES, LISTS


def write(dataset: Dataset, output: Output) -> None:
    """Write the whole data set."""
    examples, classes = distinct(dataset), output.classes(dataset)
    ids: dict[str, str] = {}
    for example in examples:
        image = output.image(example, IMAGES, one_word=True)
        ids[example.image_id] = image.stem
        output.lines(f"{ANNOTATIONS}/{image.stem}.xml", _annotation(example, image, classes))
    for split, members in dataset.splits.items():
        output.lines(f"{LISTS}/{split}.txt", (ids[example.image_id] for example in members))
    seen = {int(label) for example in examples for label in example.labels[_held(example)]}
    output.lose("classes without a box", len(classes) - len(seen))
    thin = sum(int((~_held(example)).sum()) for example in examples)
    output.lose("boxes of at most one pixel in width or height", thin)
    output.lose("crowd marks; the boxes stay as difficult ones", sum(int(e.crowd.sum()) for e in examples))
    lose_occlusion(output, examples, rest=" by degree; a flag stays")
    lose_ignored(output, examples)
    lose_areas(output, examples)


def _held(example: Example) -> NDArray[np.bool_]:
    sides = example.boxes[:, 2:].astype(np.float64) - example.boxes[:, :2]
    return np.logical_and(sides[:, 0] > 1, sides[:, 1] > 1)


def _annotation(example: Example, image: PurePosixPath, classes: Sequence[str]) -> Iterator[str]:
    yield "<annotation>"
    yield f"  <filename>{escape(image.name)}</filename>"
    yield f"  <size><width>{example.width}</width><height>{example.height}</height><depth>3</depth></size>"
    for i in np.flatnonzero(_held(example)):
        x1, y1, x2, y2 = map(float, example.boxes[i])
        sides = {"xmin": x1 + 1, "ymin": y1 + 1, "xmax": x2, "ymax": y2}
        yield "  <object>"
        yield f"    <name>{escape(classes[example.labels[i]])}</name>"
        yield f"    <truncated>{int(example.truncation[i] > 0)}</truncated>"
        yield f"    <occluded>{int(example.occlusion[i] > 0)}</occluded>"
        yield f"    <difficult>{int(example.difficult[i])}</difficult>"
        yield f"    <bndbox>{''.join(f'<{tag}>{_number(side)}</{tag}>' for tag, side in sides.items())}</bndbox>"
        yield "  </object>"
    yield "</annotation>"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)

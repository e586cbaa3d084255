"""Images without labels: a folder `unlabelled` beside any format's own files is a split of that name.

They carry imitation alone, near what the teacher is sure of; nothing is measured on them and no label is learnt.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path

import numpy as np

from fgfi_core.data import images
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.folder import Folder
from fgfi_core.data.problems import Problems
from fgfi_core.errors import BadData

NAME = "unlabelled"


def with_unlabelled(scan: Callable[[Path], Dataset]) -> Callable[[Path], Dataset]:
    """Let a format's reader find the folder, too. A split that the format itself calls so stays as it is."""

    @wraps(scan)
    def both(root: Path) -> Dataset:
        dataset, problems = scan(root), Problems()
        if NAME in dataset.splits:
            return dataset
        found = _examples(Folder(root), problems)
        splits = {**dataset.splits, NAME: found} if found else dataset.splits
        return replace(dataset, splits=splits, problems=(*dataset.problems, *problems.found))

    return both


def stripped(example: Example) -> Example:
    """The image alone, whatever was labelled in it."""
    return Example(
        example.image_id,
        example.path,
        example.width,
        example.height,
        boxes=np.zeros((0, 4), np.float32),
        labels=np.zeros(0, np.int64),
        difficult=np.zeros(0, np.bool_),
    )


def _examples(folder: Folder, problems: Problems) -> tuple[Example, ...]:
    if not folder.has_folder(NAME):
        return ()
    found = []
    for name in folder.walk(NAME, images.SUFFIXES):
        try:
            path = folder.file(name)
            width, height = images.size(path)
        except BadData as error:
            problems.refused(name, error)
            continue
        nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_)
        found.append(Example(name, path, width, height, *nothing))
    return tuple(found)

"""Lists of image ids, one text file a split, as Pascal VOC and KITTI keep them in ImageSets."""

from fgfi_core.data.folder import Folder
from fgfi_core.data.problems import Problems, shown
from fgfi_core.errors import BadData

Splits = dict[str, dict[str, int]]
"""Of each split, named for its file, the ids with the line (from 1) that lists them."""


def read(folder: Folder, place: str, problems: Problems) -> Splits:
    """Read every list in the folder `place`; the VOC devkit's per-class lists are passed over.

    Raises BadData when there is no list, or one cannot be read as text.
    """
    splits: Splits = {}
    for split, file in sorted(folder.by_stem(place, (".txt",)).items()):
        lines = folder.lines(file)
        if not lines or any(len(words) != 2 for _, words in lines):
            splits[split] = _ids(lines, file, problems)
    if not splits:
        raise BadData(f"{place}: no list of images (*.txt) there.", hint="Add for instance train.txt and val.txt.")
    return splits


def _ids(lines: list[tuple[int, list[str]]], file: str, problems: Problems) -> dict[str, int]:
    ids: dict[str, int] = {}
    for number, words in lines:
        if len(words) != 1:
            problems.error(file, number, f"one image id a line is expected, found {shown(' '.join(words))}")
        elif words[0] in ids:
            problems.warning(file, number, f"image {shown(words[0])} is listed twice; first on {ids[words[0]]}")
        else:
            ids[words[0]] = number
    return ids

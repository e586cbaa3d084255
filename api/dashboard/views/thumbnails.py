"""The small pictures of a data set with their boxes drawn, and which ink stands for which class."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from store.tables import Thumbnail

# So many classes have an ink of their own: the commonest on these pictures. All others share the ink 0.
INKS = 5


@dataclass(frozen=True)
class DrawnBox:
    """One box in the picture's pixels. ink: 1 to 5 for a class of the key, 0 for any other."""

    label: str
    ink: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Picture:
    """One small picture. width, height: pixels. counted: what is on it, in words, commonest first."""

    number: int
    href: str
    image: str
    split: str
    width: int
    height: int
    boxes: tuple[DrawnBox, ...]
    counted: str


@dataclass(frozen=True)
class Pictures:
    """All of them. key: the classes with an ink of their own, by ink from 1 on. others: how many share the ink 0."""

    pictures: tuple[Picture, ...]
    key: tuple[str, ...]
    others: int


def pictures(rows: Sequence[Thumbnail]) -> Pictures | None:
    """Lay the pictures out; None where the check made none."""
    if not rows:
        return None
    labels = _commonest(label for row in rows for label in _labels(row))
    inks = {label: ink for ink, (label, _) in enumerate(labels[:INKS], start=1)}
    return Pictures(tuple(_picture(row, inks) for row in rows), tuple(inks), len(labels) - len(inks))


def _picture(row: Thumbnail, inks: Mapping[str, int]) -> Picture:
    return Picture(
        number=row.number,
        href=f"/v1/datasets/{row.dataset_id}/thumbnails/{row.number}",
        image=row.image,
        split=row.split,
        width=row.width,
        height=row.height,
        boxes=tuple(_box(one["label"], one["box"], inks) for one in row.boxes),
        counted=", ".join(f"{count} {label}" for label, count in _commonest(_labels(row))) or "no box",
    )


def _box(label: str, corners: Sequence[float], inks: Mapping[str, int]) -> DrawnBox:
    left, top, right, bottom = corners
    return DrawnBox(label, inks.get(label, 0), left, top, round(right - left, 1), round(bottom - top, 1))


def _labels(row: Thumbnail) -> list[str]:
    return [one["label"] for one in row.boxes]


def _commonest(labels: Iterable[str]) -> list[tuple[str, int]]:
    """Labels and how often each is there, the commonest first, the same ones always in the same order."""
    return sorted(Counter(labels).items(), key=lambda one: (-one[1], one[0]))

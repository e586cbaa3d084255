"""Names of images and classes that every format and file system can hold, and no two alike."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fgfi_core.data import images

# As our readers take them.
LONGEST_CLASS = 200


class Unique:
    """Gives each text once: `a`, then `a-2`. any_case: upper and lower case are the same, as on many disks."""

    def __init__(self, *, any_case: bool) -> None:
        self._key = str.casefold if any_case else str
        self._given: set[str] = set()
        self._next: dict[str, int] = {}

    def of(self, text: str) -> str:
        """The text itself, or with the first free number."""
        number, free = self._next.get(self._key(text), 1), text
        while self._key(free) in self._given:
            number += 1
            free = f"{text}-{number}"
        self._next[self._key(text)] = number
        self._given.add(self._key(free))
        return free


def file(path: Path, suffix_of: Callable[[Path], str], *, one_word: bool) -> tuple[str, str]:
    """Stem and suffix for an image's file: its own where they can be held. suffix_of: the suffix of its content."""
    stem, suffix = path.stem, path.suffix
    if suffix.lower() not in images.SUFFIXES:
        stem, suffix = path.name, suffix_of(path)
    stem = "".join(_held(letter, one_word=one_word) for letter in stem)
    # Files that begin with a dot are hidden, and passed over.
    return stem.lstrip(".") or "image", suffix


def classes(given: Sequence[str]) -> tuple[str, ...]:
    """Names of classes without unprintable letters, blanks around them, and doubles."""
    unique = Unique(any_case=False)
    cut = (
        "".join(_held(letter, one_word=False) for letter in name).strip()[:LONGEST_CLASS].strip() or "class"
        for name in given
    )
    return tuple(unique.of(name) for name in cut)


def _held(letter: str, *, one_word: bool) -> str:
    return letter if letter.isprintable() and not (one_word and letter.isspace()) else "_"

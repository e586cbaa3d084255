"""A data set's folder: its files are found and opened here, so that no name in a data set leads out of it.

Names are relative to the folder and separated by "/". They come from strangers: absolute ones, ones with ".." and links
that end outside are refused.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from fgfi_core.data.problems import shown
from fgfi_core.errors import BadData

MAX_TEXT = 16 * 2**20


class Folder:
    """The folder `root`, read through names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._begin = f"{root}/"
        self._real = root.resolve()
        self._inside: dict[str, bool] = {}

    def has(self, name: str) -> bool:
        """Tell whether there is a regular file of this name. Raises BadData when the name leads out of the folder."""
        return self._is(name, stat.S_ISREG)

    def has_folder(self, name: str) -> bool:
        """Tell whether there is a folder of this name. Raises BadData when the name leads out of the folder."""
        return self._is(name, stat.S_ISDIR)

    def file(self, name: str) -> Path:
        """Path of a file. Raises BadData when there is none, or the name leads out of the folder."""
        if not self.has(name):
            raise BadData(f"{name}: there is no such file.")
        return self.root / name

    def by_stem(self, name: str, suffixes: tuple[str, ...]) -> dict[str, str]:
        """Names of the files directly in a folder by their stem, none when there is no such folder.

        Ids out of lists are looked up here and never joined to a path. The first suffix wins where a stem has several
        files. Raises BadData.
        """
        if not self.has_folder(name):
            return {}
        rank = {suffix: i for i, suffix in enumerate(suffixes)}
        paths = [path for path in (self.root / name).iterdir() if _wanted(path.name, suffixes)]
        for path in paths:
            _refuse_unwritable(path.name)
        paths.sort(key=lambda path: (rank[path.suffix.lower()], path.name), reverse=True)
        return {path.stem: f"{name}/{path.name}" for path in paths}

    def walk(self, name: str, suffixes: tuple[str, ...]) -> list[str]:
        """Sorted names of the files in a folder and those below it. Raises BadData when there is none, or for links."""
        if not self.has_folder(name):
            raise BadData(f"{name}: there is no such folder.")
        names: list[str] = []
        for where, folders, files in os.walk(self.root / name):
            below = PurePosixPath(Path(where).relative_to(self.root).as_posix())
            for folder in folders:
                # Links to folders may run in circles; passing over them would leave images out without a word.
                if (Path(where) / folder).is_symlink():
                    raise BadData(f"{below / folder}: is a link to a folder.", hint="Put the folder itself there.")
            names += [(below / file).as_posix() for file in files if _wanted(file, suffixes)]
        for file in names:
            _refuse_unwritable(file)
        return sorted(names)

    def read(self, name: str, most: int = MAX_TEXT) -> bytes:
        """Return the content of a file. Raises BadData, also for more than `most` bytes."""
        path = self.file(name)
        try:
            if path.stat().st_size > most:
                raise BadData(f"{name}: is larger than {most // 2**20} MiB.")
            return path.read_bytes()
        except OSError as error:
            raise BadData(f"{name}: cannot be read: {error.strerror}.") from error

    def text(self, name: str) -> str:
        """Return the content of a UTF-8 file, with or without a mark at its begin. Raises BadData."""
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadData(f"{name}: cannot be read as text: byte {error.start} is not UTF-8.") from error

    def lines(self, name: str) -> list[tuple[int, list[str]]]:
        """Return the words of each line that has any, with its number from 1. Raises BadData."""
        content = self.text(name).splitlines()
        return [(number, words) for number, line in enumerate(content, 1) if (words := line.split())]

    def _is(self, name: str, kind: Callable[[int], bool]) -> bool:
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise BadData(f"{shown(name)} points outside the data set.", hint="Name files relative to its folder.")
        if "\\" in name:
            raise BadData(f"{shown(name)} has backslashes.", hint="Put / between folder and file.")
        _refuse_unwritable(name)
        # As text: paths are objects that cost more than the calls, and there is one for each file of a data set.
        path = self._begin + name
        try:
            mode = os.lstat(path).st_mode
            linked = stat.S_ISLNK(mode)
            mode = Path(path).stat().st_mode if linked else mode
            inside = self._holds(path if linked or stat.S_ISDIR(mode) else path.rpartition("/")[0])
        except (OSError, ValueError):
            # Missing, a loop of links, or a name that no file system can hold.
            return False
        if not inside:
            raise BadData(f"{name}: is reached by a link that leads out of the data set.", hint="Put the file itself.")
        return kind(mode)

    def _holds(self, path: str) -> bool:
        # A real path costs a call for each of its parts, and thousands of files share a parent.
        if path not in self._inside:
            self._inside[path] = Path(path).resolve().is_relative_to(self._real)
        return self._inside[path]


def _wanted(file: str, suffixes: tuple[str, ...]) -> bool:
    # Hidden files are the desktop's (a Mac leaves one with the same suffix beside each file), not the data's.
    return file.lower().endswith(suffixes) and not file.startswith(".")


def _refuse_unwritable(name: str) -> None:
    # Names become ids in reports; bytes that are no text can be neither JSON nor stored.
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BadData(f"{shown(name)} is a name that is not UTF-8.", hint="Rename the file.") from None

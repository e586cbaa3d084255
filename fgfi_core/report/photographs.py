"""Each photograph of the report is stored once, however many sections draw over it."""

from markupsafe import Markup

from fgfi_core.data.dataset import Example
from fgfi_core.report.panels import photograph


class Photographs:
    """Keys of the photographs so far."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def take(self, example: Example) -> tuple[str, Markup]:
        """The key to draw over, and the photograph itself the first time it is asked for, then nothing.

        Raises BadData when it cannot be decoded.
        """
        if example.image_id in self._keys:
            return self._keys[example.image_id], Markup()
        key = self._keys[example.image_id] = f"photo{len(self._keys)}"
        return key, photograph(key, example)

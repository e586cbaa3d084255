from pathlib import Path

import pytest

from store.errors import ObjectMissing
from store.objects import FolderStore


@pytest.mark.parametrize("token", ["../../etc", "..", "", "a" * 31, "/" * 32, "~incoming"])
def test_a_token_leads_nowhere_else(tmp_path: Path, token: str) -> None:
    objects = FolderStore(tmp_path)
    with pytest.raises(ObjectMissing):
        objects.parts.list("a", token)
    with pytest.raises(ObjectMissing):
        objects.parts.put("a", token, 1, [b"x"], size=1)
    objects.parts.drop("a", token)
    assert [path.name for path in tmp_path.iterdir()] == ["~incoming"]


def test_no_list_of_objects_looks_at_parts(tmp_path: Path) -> None:
    objects = FolderStore(tmp_path)
    objects.parts.put("a", objects.parts.begin("a"), 1, [b"x"], size=1)
    objects.put("b", [b"y"])
    assert [found.key for found in objects.list()] == ["b"]

from pathlib import Path

import pytest

from client.demo import images
from client.errors import ClientError


def test_when_they_cannot_be_had_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGFI_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    # Nothing listens there: the download fails at once, as on a machine without a network.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    with pytest.raises(ClientError, match="the demo's images cannot be had") as caught:
        images.find(None)

    assert any("make demo DATA=folder" in hint for hint in caught.value.hints)
    assert not any((tmp_path / "cache").glob("fgfi/bccd-*"))

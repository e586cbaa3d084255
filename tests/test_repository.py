"""Files that must agree with the code, and locks that must say no more than they should."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fgfi_core.spec import reference

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_of_commands_is_what_the_code_says() -> None:
    """After a change of the command line: `make docs`."""
    words = ["client.main", "utils", "docs", "--name", "fgfi", "--title", "The fgfi command"]
    done = subprocess.run(
        [sys.executable, "-m", "typer", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == (ROOT / "docs/commands.md").read_text().strip()


def test_the_page_of_the_spec_is_what_the_models_say() -> None:
    """After a change of the spec: `make docs`."""
    assert reference.page() == (ROOT / "docs/spec.md").read_text()


def test_everything_in_the_lock_has_a_hash_and_nothing_an_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())

    assert len(blocks) > 100
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text


def test_the_dashboards_lock_has_hashes_and_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text()

    assert '"integrity"' in text
    assert '"resolved"' not in text


def test_every_link_of_the_readme_to_a_file_leads_somewhere() -> None:
    text = (ROOT / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize(("page", "file"), [("openapi", "docs/openapi.json"), ("errors", "docs/errors.md")])
def test_what_the_code_says_of_the_api_is_kept(page: str, file: str) -> None:
    """After a change of the API: `make docs`."""
    command = [sys.executable, "-m", "api.describe", page]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == (ROOT / file).read_text()

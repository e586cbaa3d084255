"""The documentation as a site: it builds without a warning, and loads nothing from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = re.compile(r"(https?:)?//")
# What a browser fetches by itself; a link that somebody follows is none of it.
FETCHED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "form": "action",
}


class Fetched(HTMLParser):
    """Collects what a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        value = dict(attributes).get(FETCHED.get(tag, ""))
        if value:
            self.found.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`make site`, elsewhere. A warning is an error: a link that leads nowhere, a page that is missing."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def fetched(page: Path) -> list[str]:
    parser = Fetched()
    parser.feed(page.read_text())
    return parser.found


def test_every_page_of_the_docs_is_in_it(site: Path) -> None:
    pages = {page.with_suffix(".html").name for page in (ROOT / "docs").glob("*.md")}

    assert pages <= {page.name for page in site.glob("*.html")}


def test_no_page_makes_a_browser_fetch_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))

    assert len(pages) > 15
    assert sum(len(fetched(page)) for page in pages) > 50
    assert {one for page in pages for one in fetched(page) if ELSEWHERE.match(one)} == set()


def test_no_style_sheet_fetches_anything_from_elsewhere(site: Path) -> None:
    sheets = "".join(sheet.read_text() for sheet in site.rglob("*.css"))

    assert sheets
    assert re.findall(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^)"']+""", sheets) == []


def test_no_page_uses_a_diagram_which_the_theme_would_fetch_a_program_for(site: Path) -> None:
    assert [page.name for page in site.rglob("*.html") if 'class="mermaid"' in page.read_text()] == []

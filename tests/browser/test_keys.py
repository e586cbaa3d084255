"""Keys, usage and the audit log in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from store import keys, projects

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">'


def shoot(page: Page, shots: Path, *names: str) -> None:
    """The views light, dark and on a phone; none is wider than that."""
    for name in names:
        page.goto(f"/{name}")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=shots / f"{name}-{theme}.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        page.screenshot(path=shots / f"{name}-phone.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})


def test_a_key_is_made_copied_and_revoked_by_keyboard(watched: Any) -> None:
    page: Page = watched.page
    page.goto("/keys")
    page.get_by_label("Name").focus()
    page.keyboard.type(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator(".notice h2")).to_have_text(f"The key {HOSTILE}")
    page.wait_for_load_state("load")
    page.get_by_role("button", name="Copy the line").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice .said")).to_have_text("Copied")
    assert re.fullmatch(r"fgfi_\w{38}", page.evaluate("navigator.clipboard.readText()"))

    page.get_by_role("button", name="Revoke", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("cannot be undone")
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name="Keys").locator("tbody tr")).to_have_count(1)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Revoke the key").press("Enter")
    expect(page.get_by_text("No key", exact=True)).to_be_visible()
    assert page.title() == "Keys · fgfi"


def test_the_audit_log_is_filtered_by_the_address(watched: Any, worker: Any) -> None:
    page: Page = watched.page
    worker.submit("cells-quarter")
    page.goto("/audit")
    entries = page.get_by_role("table", name="Entries").locator("tbody tr")
    expect(entries.filter(has_text="session.open")).to_have_count(1)
    page.get_by_label("About").select_option("job.")
    page.get_by_role("button", name="Show").click()
    expect(entries).to_have_count(1)
    expect(entries).to_contain_text("name: cells-quarter")
    expect(page).to_have_url(re.compile(r"/audit\?action=job"))
    entries.get_by_role("link", name=re.compile("^job_")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("cells-quarter")


def test_they_are_shown_for_looking_at(watched: Any, worker: Any, settings: Any, project_id: str, shots: Path) -> None:
    with worker.sessions.begin() as session:
        for name, scope in (("ci", "submit"), ("laptop of Ada", "admin"), (HOSTILE, "read")):
            keys.create(session, project_id, name, [scope], settings.secret_key)  # type: ignore[list-item]
        projects.update(session, project_id, {"jobs": 4, "bytes": 8_000_000, "device_hours": 40.0})
    worker.complete(worker.submit("cells-quarter"))
    for number in range(4):
        worker.submit(f"waiting {number}")
    watched.page.goto("/usage")
    expect(watched.page.locator(".quota").first).to_contain_text("the limit is reached")
    shoot(watched.page, shots, "keys", "usage", "audit")

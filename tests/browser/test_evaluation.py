"""The evaluation and the downloads of a job in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.measurements import HOSTILE, measured_job

pytestmark = pytest.mark.browser


@pytest.fixture
def job(worker: Any) -> Any:
    return measured_job(worker)


@pytest.fixture
def evaluated(watched: Any, job: Any) -> Page:
    """The page of evaluation, its curves drawn."""
    page: Page = watched.page
    page.goto(f"/jobs/{job.id}/evaluation")
    expect(page.locator("[data-drawn]")).to_have_count(1)
    return page


def test_curves_follow_the_chosen_class_and_read_out_their_ap(evaluated: Page) -> None:
    curves = evaluated.locator("[data-pr]")
    expect(curves.locator("output")).to_have_text(["AP 65.0", "AP 58.0", "AP 61.0"])
    curves.get_by_label("Class").select_option(HOSTILE)
    expect(curves).to_have_attribute("data-drawn", HOSTILE)
    expect(curves.locator("canvas")).to_be_visible()


def test_the_pointer_reads_precision_and_score_off_the_curves(evaluated: Page) -> None:
    evaluated.locator("[data-pr] .u-over").hover()
    expect(evaluated.locator("[data-pr] output").first).to_have_text(re.compile(r"^\d+\.\d at score 0\.\d\d$"))


def test_curves_are_saved_as_a_table_and_as_a_picture(evaluated: Page) -> None:
    with evaluated.expect_download() as table:
        evaluated.get_by_role("button", name="CSV").click()
    text = Path(table.value.path()).read_text()
    assert text.splitlines()[0] == "role,recall,precision,score"
    assert text.count("imitated,") == 18
    with evaluated.expect_download() as picture:
        evaluated.get_by_role("button", name="PNG").click()
    assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")


def test_an_image_that_was_gained_leads_to_its_picture(evaluated: Page) -> None:
    evaluated.get_by_role("link", name=f"{HOSTILE}.jpg").click()
    expect(evaluated.locator("[data-album]")).to_have_attribute("data-state", "ready")
    expect(evaluated.locator(".picture").first).to_be_focused()
    expect(evaluated.locator(".picture h3").first).to_have_text(f"{HOSTILE}.jpg")


def test_a_line_for_the_shell_is_copied(watched: Any, job: Any) -> None:
    page = watched.page
    page.goto(f"/jobs/{job.id}/downloads")
    export = page.locator(".export").first
    expect(export).to_contain_text("61.7 %")
    expect(export).to_contain_text("same boxes")
    export.locator("summary").click()
    export.get_by_role("button", name="Copy the line").nth(1).click()
    assert page.evaluate("navigator.clipboard.readText()") == f"fgfi download {job.id} --only onnx"


def test_they_are_shown_for_looking_at(evaluated: Page, job: Any, shots: Path) -> None:
    for tab in ("evaluation", "downloads"):
        evaluated.goto(f"/jobs/{job.id}/{tab}")
        evaluated.set_viewport_size({"width": 1280, "height": 900})
        for theme in ("light", "dark"):
            evaluated.emulate_media(color_scheme=theme)
            evaluated.screenshot(path=shots / f"{tab}-{theme}.png", full_page=True)
        evaluated.set_viewport_size({"width": 390, "height": 844})
        assert evaluated.evaluate("document.documentElement.scrollWidth") <= 390
        evaluated.screenshot(path=shots / f"{tab}-phone.png", full_page=True)

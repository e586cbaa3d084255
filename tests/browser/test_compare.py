"""Choosing jobs in the list, and seeing them beside one another."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.measurements import HOSTILE, measured_job

pytestmark = pytest.mark.browser


def test_ticked_jobs_are_compared_and_the_address_holds_them(watched: Any, worker: Any, shots: Path) -> None:
    page = watched.page
    first = measured_job(worker, "threshold 0.5", curves=True)
    worker.BEST = {**worker.BEST, "imitation": 0.634}
    second = measured_job(worker, HOSTILE, curves=True, method={"name": "fine-grained", "threshold": 0.3})
    running = worker.submit("still waiting")
    page.goto("/jobs")
    page.get_by_label("Choose threshold 0.5").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()
    # The list renews itself under the reader: what is ticked stays.
    worker.claim(running)
    expect(page.locator(f"#{running.id} .state")).to_have_text("Running")
    page.get_by_label(f"Choose {HOSTILE}").check()
    expect(page.locator("[data-compare-bar] output")).to_have_text("2 jobs chosen")
    page.get_by_role("button", name="Compare").click()

    expect(page).to_have_url(re.compile(rf"/compare\?job={first.id}&job={second.id}$"))
    specs = page.get_by_role("table", name="Differences of the specs")
    expect(specs.locator("tbody tr")).to_have_text(re.compile(r"method\.threshold\s*0\.5\s*0\.3"))
    expect(page.locator("[data-compare]")).to_have_attribute("data-drawn", "6")
    expect(page.locator("[data-compare] output")).to_have_text([re.compile(r"^61\.\d$"), re.compile(r"^63\.\d$")])
    expect(page.locator("[data-compare] [name=role]")).to_have_value("imitated")
    page.locator("[data-compare] [name=role]").select_option("plain")
    expect(page.locator("[data-compare] output").first).to_have_text(re.compile(r"^58\.\d$"))
    expect(page.locator(".pareto")).to_have_count(2)
    expect(page.get_by_role("table", name="Published format").locator("tbody tr")).to_have_count(6)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=shots / f"compare-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=shots / "compare-phone.png", full_page=True)


def test_ids_that_are_not_there_are_said(watched: Any, worker: Any) -> None:
    page = watched.page
    job = worker.submit("alone")
    watched.page.goto(f"/compare?job={job.id}&job={HOSTILE}")
    expect(page.locator(".notice")).to_contain_text(HOSTILE)
    expect(page.locator(".nothing")).to_contain_text("two to ten jobs")
    watched.errors.clear()  # The browser logs the 404.

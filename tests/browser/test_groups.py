"""Groups in a real browser: made from a job, watched, compared, cancelled."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from store import attempts
from store.attempts import Trace
from store.tables import Job

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">'


def finish(worker: Any, job: Any, imitated: float, differences: list[float]) -> None:
    """A whole job whose gain is as given."""
    worker.BEST = {**worker.BEST, "imitation": imitated}
    lease = worker.claim(job)
    for stage in ("teacher", "baseline", "imitation"):
        worker.begin(lease, stage)
        worker.train(lease, stage, 0, worker.STEPS)
    mean = sum(differences) / len(differences)
    half = 3 * (max(differences) - min(differences))
    gain = {"differences": differences, "mean": mean, "low": mean - half, "high": mean + half}
    with worker.sessions.begin() as session:
        attempts.succeed(session, lease, {"name": job.name, "gain": gain}, Trace("The run is complete."))


def jobs_of(worker: Any) -> list[Any]:
    with worker.sessions.begin() as session:
        found = list(session.scalars(select(Job).where(Job.group_id.is_not(None)).order_by(Job.arm)))
        session.expunge_all()
        return found


def test_a_group_is_made_from_a_job_and_shows_intervals(watched: Any, worker: Any, shots: Path) -> None:
    page: Page = watched.page
    job = worker.submit("cells-quarter", seeds=[0, 1])
    page.goto(f"/groups/new?base={job.id}")
    page.get_by_label("Name", exact=True).fill(f"psi {HOSTILE}")
    page.get_by_role("button", name="Thresholds").click()
    page.get_by_label("Variants, one a line").press("Control+End")
    page.keyboard.type("\nmethod.threshold=7")
    expect(page.locator("[data-counted]")).to_have_text("4 jobs")
    page.screenshot(path=shots / "new-group-light.png", full_page=True)
    page.get_by_role("button", name="Make the group").click()
    expect(page.locator("#variants-wrong")).to_contain_text("variants[3].method.threshold")
    watched.errors.clear()  # The browser logs the 422.

    variants = page.get_by_label("Variants, one a line")
    variants.fill("method.threshold=0.3\nmethod.threshold=0.5\nno imitation: method.name=none")
    page.get_by_role("button", name="Make the group").click()
    expect(page).to_have_url(re.compile(r"/groups/grp_\w+$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"psi {HOSTILE}")
    expect(page.locator("tbody tr")).to_have_count(3)
    low, middle, _ = jobs_of(worker)
    finish(worker, low, 0.634, [0.045, 0.055])
    finish(worker, middle, 0.6, [0.01, 0.03])
    first = page.locator("#arm-1")
    expect(first.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"95 % interval \+2\.0 to \+8\.0"))
    expect(first).to_contain_text("+5.0")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=shots / f"group-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    for name, path in (("group", page.url), ("groups", "/groups"), ("new-group", f"/groups/new?base={job.id}")):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        page.screenshot(path=shots / f"{name}-phone.png", full_page=True)

    page.goto("/groups")
    page.get_by_role("link", name=f"psi {HOSTILE}").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel them").click()
    expect(page.locator("#arm-3 .state")).to_have_text("Cancelled")
    page.get_by_role("link", name="Compare in full").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 3 jobs")


def test_an_installation_without_groups_says_what_they_are(watched: Any) -> None:
    watched.page.goto("/groups")
    watched.page.locator(".nothing").get_by_role("link", name="New group").click()
    expect(watched.page.get_by_role("heading", level=1)).to_have_text("New group")

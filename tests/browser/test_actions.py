"""What a person does to a job, and what another tab sees of it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def state(page: Page) -> Any:
    return page.locator("h1 + .state")


def test_pause_resume_cancel_retry_delete(watched: Any, worker: Any) -> None:
    page = watched.page
    job = worker.submit("cells")
    page.goto(f"/jobs/{job.id}")
    page.get_by_role("button", name="Pause").click()
    expect(state(page)).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(state(page)).to_have_text("Queued")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Keep it running")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(state(page)).to_have_text("Cancelled")
    page.get_by_role("button", name="Retry").click()
    expect(state(page)).to_have_text("Queued")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete the job").click()
    expect(page.get_by_text("No job yet")).to_be_visible()


def test_a_clone_begins_with_the_spec_of_the_other(watched: Any, worker: Any) -> None:
    page = watched.page
    job = worker.submit("cells", seeds=[0, 5], method={"name": "mgd"})
    page.goto(f"/jobs/{job.id}")
    page.get_by_role("link", name="Clone").click()
    expect(page.locator("[id='name']")).to_have_value("cells, again")
    expect(page.locator("[id='seeds']")).to_have_value("0, 5")
    expect(page.locator("[id='method.name']")).to_have_value("mgd")
    page.get_by_role("button", name="Submit the job").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("cells, again")


def test_two_tabs_show_the_same(watched: Any, worker: Any) -> None:
    page = watched.page
    job = worker.submit("cells")
    page.goto(f"/jobs/{job.id}")
    other = page.context.new_page()
    other.goto("/jobs")
    page.get_by_role("button", name="Pause").click()
    expect(other.locator(f"#{job.id} .state")).to_have_text("Paused")
    other.goto(f"/jobs/{job.id}")
    other.get_by_role("button", name="Resume").click()
    expect(state(page)).to_have_text("Queued")
    worker.claim(job)
    expect(state(page)).to_have_text("Running")
    expect(state(other)).to_have_text("Running")


def test_a_finished_job_s_teacher_becomes_a_model(watched: Any, worker: Any) -> None:
    page = watched.page
    job = worker.submit("cells")
    worker.complete(job)
    page.goto(f"/jobs/{job.id}")
    page.get_by_role("button", name="Model").click()
    page.get_by_role("button", name="Register").click()
    # The played job wrote no checkpoint: the refusal is said in the dialog.
    expect(page.locator("#register [data-wrong]")).not_to_be_empty()
    watched.errors.clear()


def test_what_the_reader_does_is_not_lost_to_news(watched: Any, worker: Any) -> None:
    page = watched.page
    job = worker.submit("cells")
    lease = worker.claim(job)
    worker.begin(lease, "teacher")
    page.goto(f"/jobs/{job.id}")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.locator("#log").evaluate("list => { list.dataset.mark = 'same'; }")
    worker.train(lease, "teacher", 0, 100)
    expect(page.locator("#top")).to_contain_text("step 100 of 390")
    # The question is still open, and what had the focus has it.
    expect(page.get_by_role("button", name="Keep it running")).to_be_focused()
    expect(page.locator("#log")).to_have_attribute("data-mark", "same")

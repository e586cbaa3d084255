"""The page of one job, as a person sees it."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def drawn(page: Page) -> int:
    """How many points the curves hold."""
    return int(page.locator("[data-charts]").get_attribute("data-drawn") or 0)


def painted(page: Page, role: str) -> int:
    """How many pixels of the accuracy chart have the role's colour."""
    script = """role => {
        const figure = document.querySelector('[data-chart=map]');
        const wanted = getComputedStyle(figure.querySelector(`.role-${role}`)).color.match(/\\d+/g).map(Number);
        const canvas = figure.querySelector('canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] > 200 && wanted.every((part, i) => Math.abs(data[at + i] - part) < 8)) count += 1;
        }
        return count;
    }"""
    return int(page.evaluate(script, role))


@pytest.fixture
def running(worker: Any) -> Any:
    """A job whose teacher and plain student are done and whose imitated student has begun."""
    job = worker.submit("cells-quarter")
    lease = worker.claim(job)
    for stage in ("preflight", "teacher", "baseline"):
        worker.begin(lease, stage)
        if stage != "preflight":
            worker.train(lease, stage, 0, worker.STEPS)
        worker.finish(lease, stage, 80.0)
    worker.begin(lease, "imitation")
    worker.train(lease, "imitation", 0, 60)
    return job


def open_job(page: Page, job: Any) -> None:
    page.goto(f"/jobs/{job.id}")
    expect(page.locator("[data-drawn]")).to_have_count(1)


def test_curves_are_drawn_and_grow_when_metrics_arrive(watched: Any, worker: Any, running: Any) -> None:
    page = watched.page
    open_job(page, running)
    before, ink = drawn(page), painted(page, "imitated")
    assert min(painted(page, role) for role in ("teacher", "plain", "imitated")) > 20

    worker.train(worker.leases[running.id], "imitation", 60, 300)

    page.wait_for_function(
        "before => Number(document.querySelector('[data-charts]').dataset.drawn) > before", arg=before
    )
    assert painted(page, "imitated") > ink
    expect(page.locator("#top")).to_contain_text("step 300 of 390")
    expect(page.locator("#rest")).to_contain_text("imitation, step 300")


def test_the_page_follows_the_job_to_its_end(watched: Any, worker: Any, running: Any) -> None:
    page = watched.page
    open_job(page, running)
    page.locator("summary", has_text="spec").click()
    worker.train(worker.leases[running.id], "imitation", 60, worker.STEPS)
    worker.finish(worker.leases[running.id], "imitation", 97.0)
    worker.conclude(running)

    expect(page.locator("h1 + .state")).to_have_text("Succeeded")
    expect(page.locator("#top")).to_contain_text("of the gap between plain and teacher")
    expect(page.locator(".download .file")).to_have_text(["student.onnx", "student.safetensors"])
    expect(page.locator("#log")).to_contain_text("The job is done.")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    # What the reader opened stays open while the page renews itself.
    expect(page.locator("pre.text")).to_be_visible()


def test_an_export_downloads_as_the_file_that_was_stored(watched: Any, worker: Any) -> None:
    page = watched.page
    job = worker.submit("cells-quarter")
    worker.complete(job)
    open_job(page, job)
    expect(page.locator(".download").first).to_contain_text("61.7 % mAP50")
    expect(page.locator(".more-files a")).to_have_attribute("href", f"/jobs/{job.id}/downloads")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download student.onnx").click()
    assert download.value.suggested_filename == "student.onnx"
    assert Path(download.value.path()).read_bytes() == worker.content("student.onnx", job.id)


def test_cancelling_asks_first(watched: Any, running: Any) -> None:
    page = watched.page
    open_job(page, running)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Keep it running").click()
    expect(page.get_by_role("button", name="Cancel the job")).to_be_hidden()
    expect(page.locator("h1 + .state")).to_have_text("Running")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator("h1 + .state")).to_have_text("Cancelling")


def test_a_failed_job_says_what_to_do(watched: Any, worker: Any, shots: Path) -> None:
    page = watched.page
    job = worker.submit("broken image")
    worker.fail(job)
    open_job(page, job)
    expect(page.get_by_role("alert")).to_contain_text("JPEGImages/BloodImage_00007.jpg cannot be decoded")
    expect(page.get_by_role("alert")).to_contain_text("What to do: Replace the file")
    page.screenshot(path=shots / "job-failed.png", full_page=True)


def test_the_list_renews_its_rows_where_they_are(watched: Any, worker: Any) -> None:
    page = watched.page
    jobs = [worker.submit(f"job {number}") for number in range(30)]
    page.goto("/jobs")
    row = page.locator(f"#{jobs[0].id}")
    row.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 0
    handle = row.element_handle()
    worker.claim(jobs[0])
    expect(row.locator(".state")).to_have_text("Running")
    assert page.evaluate("([old, id]) => old === document.getElementById(id)", [handle, jobs[0].id])
    assert page.evaluate("scrollY") == before


def test_a_search_narrows_the_list_and_stays_in_the_address(watched: Any, worker: Any) -> None:
    page = watched.page
    worker.submit("cells")
    worker.submit("road signs")
    page.goto("/jobs")
    page.get_by_role("searchbox").fill("road")
    expect(page.locator(".jobs .title")).to_have_text(["road signs"])
    expect(page).to_have_url(re.compile(r"/jobs\?q=road$"))
    page.reload()
    expect(page.locator(".jobs .title")).to_have_text(["road signs"])


def test_an_empty_installation_teaches_and_turns_into_the_list(watched: Any, worker: Any, shots: Path) -> None:
    page = watched.page
    page.goto("/jobs")
    expect(page.locator("code", has_text="make demo")).to_be_visible()
    page.screenshot(path=shots / "begin.png", full_page=True)
    worker.submit("the first")
    expect(page.locator(".jobs .title")).to_have_text(["the first"])

"""The whole way of somebody new, from a data set to the student's file: by mouse, and by keyboard alone."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from store import jobs
from store.database import Sessions
from store.settings import Settings
from store.tables import Job
from worker.checks import check_dataset
from worker.workplace import make_workplace

pytestmark = pytest.mark.browser

ANNOTATION = """<annotation><filename>{name}.png</filename><size><width>64</width><height>48</height><depth>3</depth>
</size><object><name>{label}</name><difficult>0</difficult><bndbox><xmin>{x}</xmin><ymin>8</ymin><xmax>{end}</xmax>
<ymax>24</ymax></bndbox></object></annotation>"""
MOST_TABS = 90


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Six pictures of one box each, in Pascal VOC's layout; one of them cannot be decoded."""
    path = tmp_path / "tiles.zip"
    names = [f"tile_{number}" for number in range(6)]
    with zipfile.ZipFile(path, "w") as file:
        for number, name in enumerate(names):
            picture, left = io.BytesIO(), 4 + 6 * number
            image = Image.new("RGB", (64, 48), "white")
            ImageDraw.Draw(image).rectangle((left, 8, left + 12, 24), fill=(40 * number, 80, 120))
            image.save(picture, "PNG")
            file.writestr(f"JPEGImages/{name}.png", picture.getvalue())
            text = ANNOTATION.format(name=name, label="tile", x=left, end=left + 12)
            file.writestr(f"Annotations/{name}.xml", text)
        file.writestr("ImageSets/Main/trainval.txt", "\n".join(names[:4]))
        file.writestr("ImageSets/Main/test.txt", "\n".join(names[4:]))
    return path


@pytest.fixture
def check(settings: Settings, sessions: Sessions) -> Callable[[Page], None]:
    """Does a worker's part for the data set whose page is open."""

    def done(page: Page) -> None:
        place = replace(make_workplace(settings), sessions=sessions)
        assert check_dataset(place, page.url.rpartition("/")[2])

    return done


@pytest.fixture
def submitted(sessions: Sessions, project_id: str) -> Callable[[Page], Job]:
    """The job whose page is open."""

    def find(page: Page) -> Job:
        with sessions.begin() as session:
            return jobs.get(session, project_id, page.url.rpartition("/")[2])

    return find


def tab_to(page: Page, wanted: Locator) -> None:
    """Reach something by the Tab key, as one must without a mouse."""
    for _ in range(MOST_TABS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by {MOST_TABS} tabs: {wanted}")


def enter(page: Page, wanted: Locator) -> None:
    """Reach a button or link and press it."""
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def drawn(page: Page) -> int:
    return int(page.locator("[data-charts]").get_attribute("data-drawn") or 0)


def learn(page: Page, worker: Any, job: Job) -> None:
    """Let the job run to its end before the reader's eyes."""
    expect(page.locator("h1 + .state")).to_have_text("Queued")
    lease = worker.claim(job)
    expect(page.locator("h1 + .state")).to_have_text("Running")
    for stage in ("preflight", "teacher", "baseline"):
        worker.begin(lease, stage)
        if stage != "preflight":
            worker.train(lease, stage, 0, worker.STEPS)
        worker.finish(lease, stage, 2.0)
    worker.begin(lease, "imitation")
    worker.train(lease, "imitation", 0, 60)
    page.wait_for_function("() => Number(document.querySelector('[data-charts]').dataset.drawn) > 0")
    before = drawn(page)
    worker.train(lease, "imitation", 60, worker.STEPS)
    page.wait_for_function(
        "before => Number(document.querySelector('[data-charts]').dataset.drawn) > before", arg=before
    )
    worker.finish(lease, "imitation", 2.0)
    worker.conclude(job)
    expect(page.locator("h1 + .state")).to_have_text("Succeeded")


def test_a_new_user_s_way_by_mouse(
    watched: Any,
    worker: Any,
    invite: Callable[[], str],
    archive: Path,
    check: Callable[[Page], None],
    submitted: Callable[[Page], Job],
) -> None:
    page = watched.page
    page.context.clear_cookies()
    page.goto(invite())
    page.get_by_role("link", name="Upload an archive here").click()
    page.get_by_label("Choose an archive").set_input_files(archive)
    expect(page.get_by_label("Name")).to_have_value("tiles")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("h1 + .state")).to_have_text("Checking")
    check(page)
    expect(page.locator("h1 + .state")).to_have_text("Ready")
    expect(page.locator("#whole")).to_contain_text("6 images")

    page.get_by_role("link", name="New job").click()
    expect(page.get_by_label("Data set")).to_have_value(page.url.rpartition("=")[2])
    page.get_by_label("Name", exact=True).fill("tiles, small")
    page.get_by_label("Epochs").last.fill("3")
    expect(page.locator("[data-estimate]")).to_contain_text("about")
    page.get_by_role("button", name="Submit the job").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("tiles, small")
    job = submitted(page)
    assert job.spec["schedule"]["epochs"] == 3
    learn(page, worker, job)
    page.get_by_role("link", name="Downloads").first.click()
    with page.expect_download() as download:
        page.locator("a[download]").first.click()
    name = download.value.suggested_filename
    assert Path(download.value.path()).read_bytes() == worker.content(name, job.id)


def test_a_new_user_s_way_by_keyboard_alone(
    watched: Any,
    worker: Any,
    archive: Path,
    check: Callable[[Page], None],
    submitted: Callable[[Page], Job],
) -> None:
    page = watched.page
    page.goto("/datasets")
    tab_to(page, page.get_by_label("Choose an archive"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(archive)
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.press("Enter")
    expect(page.locator("h1 + .state")).to_have_text("Checking")
    check(page)
    expect(page.locator("h1 + .state")).to_have_text("Ready")

    enter(page, page.get_by_role("link", name="New job"))
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.press("Control+A")
    page.keyboard.type("tiles by keys")
    tab_to(page, page.locator("[id='method.name']"))
    page.keyboard.type("hint")
    expect(page.locator("[data-estimate]")).to_contain_text("about")
    enter(page, page.get_by_role("button", name="Submit the job"))

    expect(page.get_by_role("heading", level=1)).to_have_text("tiles by keys")
    job = submitted(page)
    assert job.spec["method"]["name"] == "hint"
    learn(page, worker, job)
    enter(page, page.get_by_role("link", name="Downloads").first)
    tab_to(page, page.locator("a[download]").first)
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).read_bytes() == worker.content(download.value.suggested_filename, job.id)

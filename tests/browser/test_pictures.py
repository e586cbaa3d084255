"""The pictures of a job: what a threshold, a class and an order show."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.measurements import HOSTILE, measured_job

pytestmark = pytest.mark.browser


@pytest.fixture
def viewer(watched: Any, worker: Any) -> Page:
    """The page of pictures, drawn."""
    page: Page = watched.page
    page.goto(f"/jobs/{measured_job(worker).id}/pictures")
    expect(page.locator("[data-album]")).to_have_attribute("data-state", "ready")
    return page


def captions(page: Page, picture: int = 0) -> list[str]:
    return [
        " ".join(text.split()) for text in page.locator(".picture").nth(picture).locator("figcaption").all_inner_texts()
    ]


def test_each_detector_is_shown_at_its_own_threshold_with_what_it_found_and_missed(viewer: Page) -> None:
    assert captions(viewer) == [
        "Labels and region 25 % of 8 \N{MULTIPLICATION SIGN} 8 cells imitated",
        "Teacher 3 true, 0 false, 0 missed",
        "Plain 2 true, 0 false, 1 missed",
        "Imitated 3 true, 0 false, 0 missed",
    ]


def test_the_slider_takes_detections_away_for_all_and_stays_in_the_address(viewer: Page) -> None:
    viewer.get_by_label("Score from").fill("0.75")
    expect(viewer.locator("[name=own]")).not_to_be_checked()
    assert captions(viewer)[1:] == [
        "Teacher 2 true, 0 false, 1 missed",
        "Plain 1 true, 0 false, 2 missed",
        "Imitated 1 true, 0 false, 2 missed",
    ]
    viewer.get_by_label("Score from").fill("0.1")
    assert captions(viewer)[2] == "Plain 2 true, 1 false, 1 missed"
    viewer.reload()
    expect(viewer.locator("[data-album]")).to_have_attribute("data-state", "ready")
    assert captions(viewer)[2] == "Plain 2 true, 1 false, 1 missed"


def test_a_class_can_be_left_out_by_keyboard(viewer: Page) -> None:
    box = viewer.get_by_role("checkbox", name="platelet")
    box.focus()
    viewer.keyboard.press("Space")
    assert captions(viewer)[2] == "Plain 2 true, 0 false, 0 missed"
    assert "without=platelet" in viewer.url


def test_images_gained_and_lost_by_imitation_are_told_apart(viewer: Page) -> None:
    expect(viewer.locator(".picture h3")).to_have_text(["first", f"{HOSTILE}.jpg", "third"])
    viewer.get_by_text("Gained 2").click()
    expect(viewer.locator(".picture h3")).to_have_text([f"{HOSTILE}.jpg", "first"])
    expect(viewer.locator(".picture").first).to_contain_text("4 errors plain, 1 imitated: 3 fewer")
    viewer.get_by_text("Lost 1").click()
    expect(viewer.locator(".picture h3")).to_have_text(["third"])


def test_region_levels_and_distance_maps_lie_over_the_photograph(viewer: Page) -> None:
    cells = viewer.locator(".picture").first.locator("image.cells")
    expect(cells).to_have_count(1)
    viewer.get_by_label("Distance maps").check()
    expect(cells).to_have_count(3)
    viewer.get_by_label("Level").select_option("1")
    assert "level=1" in viewer.url
    viewer.get_by_label("Imitation region").uncheck()
    assert captions(viewer)[0] == "Labels 3 boxes"


def test_hostile_names_of_classes_and_files_are_only_text(viewer: Page) -> None:
    expect(viewer.get_by_role("checkbox", name=HOSTILE)).to_be_checked()
    assert viewer.locator(".picture g.found.imitated title").nth(1).text_content() == f"{HOSTILE} 0.70"
    assert viewer.title() == "Pictures · cells-quarter · fgfi"


def test_a_job_that_runs_says_when_its_pictures_come(watched: Any, worker: Any) -> None:
    job = worker.submit("cells")
    for tab in ("pictures", "evaluation", "downloads"):
        watched.page.goto(f"/jobs/{job.id}/{tab}")
        expect(watched.page.locator(".nothing h2")).to_be_visible()


def test_pictures_that_cannot_be_read_are_said_to_be(watched: Any, worker: Any) -> None:
    job = measured_job(worker)
    watched.page.route(
        "**/content", lambda route: route.fulfill(body='{"version": 2}', content_type="application/json")
    )
    watched.page.goto(f"/jobs/{job.id}/pictures")
    expect(watched.page.get_by_role("status").first).to_contain_text("written in version 2")


def test_pictures_are_shown_for_looking_at(viewer: Page, shots: Path) -> None:
    viewer.get_by_label("Distance maps").check()
    for theme in ("light", "dark"):
        viewer.emulate_media(color_scheme=theme)
        viewer.screenshot(path=shots / f"pictures-{theme}.png")
    viewer.set_viewport_size({"width": 390, "height": 844})
    assert viewer.evaluate("document.documentElement.scrollWidth") <= 390
    viewer.screenshot(path=shots / "pictures-phone.png")

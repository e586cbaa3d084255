"""The form of a new job and its file: each writes the other, and what is wrong is said where it is."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from store import datasets, models
from store.models import Architecture

pytestmark = pytest.mark.browser


@pytest.fixture
def page(watched: Any, worker: Any, sessions: Any) -> Page:
    """The form, with a data set of two splits."""
    with sessions.begin() as session:
        splits = {name: {"images": 40} for name in ("train", "val")}
        datasets.get(session, worker.project_id, worker.dataset_id).report = {"splits": splits}
    watched.page.goto("/jobs/new")
    expect(watched.page.locator("[data-estimate]")).to_contain_text("about")
    opened: Page = watched.page
    return opened


def field(page: Page, path: str) -> Any:
    return page.locator(f"[id='{path}']")


def test_the_form_writes_the_file_and_the_file_the_form(page: Page) -> None:
    file = page.locator("#yaml")
    assert "train: train" in file.input_value()
    field(page, "schedule.image_size").fill("64x48")
    field(page, "seeds").fill("0, 7")
    field(page, "baseline").uncheck()
    page.wait_for_function("() => document.getElementById('yaml').value.includes('image_size: [64, 48]')")
    assert "seeds: [0, 7]" in file.input_value()
    assert "baseline: false" in file.input_value()

    file.fill(file.input_value().replace("[0, 7]", "[3]") + "method: {name: mgd, seed: 4}\nmetadata: {line: 3}\n")
    expect(field(page, "seeds")).to_have_value("3")
    expect(field(page, "metadata")).to_have_value("line: 3")
    expect(field(page, "method.name")).to_have_value("mgd")
    # What is taken back is the default again, and no longer in the file.
    field(page, "schedule.image_size").fill("")
    field(page, "baseline").check()
    page.wait_for_function("() => !document.getElementById('yaml').value.includes('image_size')")
    assert "baseline" not in file.input_value()


def test_what_is_wrong_is_said_at_its_field_in_the_server_s_words(page: Page) -> None:
    field(page, "schedule.epochs").fill("none at all")
    expect(page.locator("[id='schedule.epochs-wrong']")).to_contain_text("valid integer")
    expect(field(page, "schedule.epochs")).to_have_attribute("aria-invalid", "true")
    field(page, "schedule.epochs").fill("3")
    field(page, "dataset.val").fill("train")
    expect(page.locator("[data-wrong]")).to_be_empty()
    expect(page.get_by_text("the measured split must not be trained on")).to_be_visible()
    field(page, "dataset.val").fill("val")
    expect(page.locator("[data-estimate]")).to_contain_text("about")

    page.locator("#yaml").fill("name: x\nteacher: {detector: [")
    expect(page.locator("#yaml-wrong")).to_contain_text("line 2")
    page.locator("#yaml").fill("name: x\nepoch: 3\n")
    expect(page.locator("[data-wrong]")).to_contain_text("epoch: is not a field here")


def test_a_spec_that_is_not_complete_stays_here(page: Page) -> None:
    field(page, "name").fill("")
    page.get_by_role("button", name="Submit the job").click()
    expect(page.locator("[id='name-wrong']")).not_to_be_empty()
    expect(field(page, "name")).to_be_focused()
    assert page.url.endswith("/jobs/new")


def test_a_registered_model_says_its_detector(page: Page, worker: Any, sessions: Any) -> None:
    with sessions.begin() as session:
        row = models.begin(session, worker.project_id, "known", Architecture("shuffledet-1x", ("a",), (320, 240), ()))
        row.state = "ready"
        identity = row.id
    page.goto(f"/jobs/new?teacher={identity}")
    expect(field(page, "teacher.detector")).to_be_disabled()
    expect(field(page, "teacher.detector")).to_have_value("shuffledet-1x")
    page.wait_for_function("() => document.getElementById('yaml').value.includes('teacher: {model: mdl_')")

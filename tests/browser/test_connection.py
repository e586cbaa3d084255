"""What a page does while the service is away, and what an upload does."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, Route, expect

from store.settings import Settings
from tests.browser.conftest import PART_BYTES, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def flaky(settings: Settings) -> Iterator[Any]:
    """A service of its own that can be stopped and started again at the same address."""

    class Flaky:
        address = ""

        def __init__(self) -> None:
            self._running = ExitStack()

        def start(self) -> None:
            port = urlsplit(self.address).port or 0
            self.address = self._running.enter_context(serving(settings, port))

        def stop(self) -> None:
            self._running.close()

    one = Flaky()
    one.start()
    yield one
    one.stop()


def test_a_page_says_that_the_service_is_away_and_catches_up_when_it_is_back(
    watched: Any, worker: Any, flaky: Any, browser: Any
) -> None:
    job = worker.submit("cells")
    context = browser.new_context(base_url=flaky.address)
    context.add_cookies([{**cookie, "url": flaky.address} for cookie in _session(watched)])
    page = context.new_page()
    page.goto("/jobs")
    banner = page.locator("[data-offline]")
    expect(banner).to_be_hidden()

    flaky.stop()
    expect(banner).to_contain_text("The service does not answer. You see what was known at")
    worker.claim(job)
    flaky.start()

    expect(page.locator(f"#{job.id} .state")).to_have_text("Running", timeout=15_000)
    expect(banner).to_be_hidden()
    context.close()


def _session(watched: Any) -> list[dict[str, str]]:
    return [{"name": one["name"], "value": one["value"]} for one in watched.page.context.cookies()]


def test_an_upload_survives_a_broken_part_and_a_reload(watched: Any, tmp_path: Path) -> None:
    page = watched.page
    archive = tmp_path / "large.tar"
    # A tar says what it is at byte 257; what is in it the check would tell, which is not asked here.
    head = b"\0" * 257 + b"ustar\x0000" + b"\0" * 247
    archive.write_bytes(head + os.urandom(2 * PART_BYTES))
    sent: list[str] = []
    broken = True

    def part(route: Route, request: Request) -> None:
        number = request.url.rpartition("/")[2]
        if broken and number == "2":
            route.abort()
            return
        sent.append(number)
        route.continue_()

    page.route("**/parts/*", part)
    page.goto("/datasets")
    page.get_by_label("Choose an archive").set_input_files(archive)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("[data-upload-state]")).to_contain_text("trying again")
    page.wait_for_function("() => document.querySelector('[data-under-way] progress').value > 0.4")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()

    broken = False
    page.get_by_label("Choose an archive").set_input_files(archive)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("h1 + .state")).to_have_text("Checking")
    assert sorted(sent) == ["1", "2", "3"]
    watched.errors[:] = [error for error in watched.errors if "ERR_FAILED" not in error]


def test_an_upload_that_is_refused_says_why(watched: Any, tmp_path: Path) -> None:
    page = watched.page
    page.goto("/datasets")
    picture = tmp_path / "cells.png"
    picture.write_bytes(b"x")
    page.get_by_label("Choose an archive").set_input_files(picture)
    expect(page.locator("[data-upload-wrong]")).to_contain_text("cells.png is no archive the service knows")
    fake = tmp_path / "cells.zip"
    fake.write_bytes(b"no zip at all" * 100)
    page.get_by_label("Choose an archive").set_input_files(fake)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("[data-upload-wrong]")).to_contain_text("zip, tar, tar.gz or tar.zst")
    expect(page.get_by_role("button", name="Upload")).to_be_visible()
    watched.errors.clear()

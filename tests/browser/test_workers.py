"""The page of workers in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from store import workers

pytestmark = pytest.mark.browser

GIB = 2**30
HOSTILE = "<img src=x onerror=alert(1)>"


def seen(worker: Any, name: str, **values: Any) -> None:
    queues = values.pop("queues", ("jobs", "jobs.cpu"))
    with worker.sessions.begin() as session:
        workers.seen(session, name, hostname=name, pid=4211, queues=queues, **values)


def test_workers_their_devices_and_queues_are_shown_and_renewed(watched: Any, worker: Any, shots: Path) -> None:
    page = watched.page
    job = worker.submit("cells-quarter")
    worker.submit("the next one")
    devices = [{"name": "NVIDIA H200", "memory": 141 * GIB}, {"name": HOSTILE, "memory": 141 * GIB}]
    load = {
        "busy": 0.41,
        "processors": 16,
        "memory_used": 30 * GIB,
        "memory": 128 * GIB,
        "devices": [{"busy": 0.97, "memory_used": 135 * GIB}, {"busy": 0.02, "memory_used": 2 * GIB}],
    }
    seen(worker, "bench-gpu", classes=("gpu", "cpu"), devices=devices, load=load, job_id=job.id, device="cuda:0")
    seen(worker, "bench-cpu", classes=("cpu",), load={**load, "devices": []})
    seen(worker, "bench-ill", classes=("gpu",), trouble="1 of 2 devices are gone", devices=devices[:1])
    page.goto("/workers")
    expect(page.locator(".worker")).to_have_count(3)
    expect(page.locator("#worker-bench-gpu")).to_contain_text("135 of 141 GiB")
    expect(page.locator("#worker-bench-gpu").get_by_role("link", name="cells-quarter")).to_be_visible()
    expect(page.locator("#worker-bench-gpu .device").nth(2)).to_have_text(HOSTILE)
    expect(page.locator("#worker-bench-ill")).to_contain_text("1 of 2 devices are gone")
    expect(page.locator("#queue-any td")).to_have_text(["any device", "2", "2", "3", ""])
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=shots / f"workers-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=shots / "workers-phone.png", full_page=True)

    seen(worker, "bench-cpu", classes=("cpu",), job_id=job.id)
    worker.claim(job)
    expect(page.locator("#worker-bench-cpu .state")).to_have_text("Working")


def test_without_a_worker_the_page_says_how_one_comes(watched: Any) -> None:
    watched.page.goto("/workers")
    expect(watched.page.locator(".nothing")).to_contain_text("fgfi up")

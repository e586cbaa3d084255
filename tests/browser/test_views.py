"""Every view: shown for looking at, no wider than a phone, and hostile names are only text in it."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from store import datasets, models
from store.database import Sessions
from store.models import Architecture
from store.tables import Thumbnail

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>"\'&{{7*7}}' + "and-on" * 12
PHONE = 390
VIEWS = {
    "jobs": "/jobs",
    "job": "/jobs/{job}",
    "job-failed": "/jobs/{failed}",
    "new-job": "/jobs/new?clone={job}",
    "datasets": "/datasets",
    "dataset": "/datasets/{dataset}",
    "models": "/models",
    "model": "/models/{model}",
}
SPOTS = ((30, 40, 110, 130), (150, 60, 210, 120), (220, 150, 300, 230))
RANGE = {"smallest": 480, "median": 640, "largest": 640}


def fill(worker: Any, sessions: Sessions, name: str) -> Mapping[str, str]:
    """Something of everything under one name; ids by what they are of."""
    problems = [
        {"severity": "error", "file": f"JPEGImages/{name}.jpg", "line": None, "message": "ends after 1,204 bytes"},
        {"severity": "warning", "file": "Annotations/2.xml", "line": 55, "message": f"box of '{name}' has no area"},
    ]
    classes = {
        label: {"boxes": boxes, "images": boxes // 2, "median_width": 40.0, "median_height": 38.0}
        for label, boxes in ((name, 412), ("WBC", 37))
    }
    split = {"images": 292, "empty": 3, "boxes": 3941, "difficult": 12}
    statistics = {
        "sizes": {"small": 32, "medium": 1386, "large": 3468},
        "boxes_per_image": {"starts": [0, 1, 2, 3, 5], "counts": [3, 6, 4, 8, 18]},
        "aspect_ratios": {"starts": [0.0, 0.5, 0.8, 1.25], "counts": [5, 303, 3925, 635]},
    }
    with sessions.begin() as session:
        row = datasets.get(session, worker.project_id, worker.dataset_id)
        row.name, row.report = (
            name,
            {
                "format": "voc",
                "images": 364,
                "boxes": 4886,
                "splits": {"trainval": split, "test": split},
                "classes": classes,
                "width": RANGE,
                "height": RANGE,
                "problems": problems,
                "problem_counts": {"error": 1, "warning": 1},
                "statistics": statistics,
            },
        )
        session.add_all(pictures(worker, name))
        model = models.begin(
            session, worker.project_id, name, Architecture("shuffledet-1x", (name, "WBC"), (320, 240), ((16, 12),))
        )
        model.state, model.size, model.sha256 = "rejected", 6_400_000, "cd" * 32
        model.error = {"code": "unfit_weights", "message": f"1 missing (such as {name})", "hint": "Give the weights."}
        model.report = {"tensors": 9, "parameters": 1_602_312, "differences": 1, "missing": [name]}
        model_id = model.id
    job, failed = worker.submit(name), worker.submit(f"{name}, broken")
    worker.complete(job)
    worker.fail(failed)
    return {"job": job.id, "failed": failed.id, "dataset": worker.dataset_id, "model": model_id}


def pictures(worker: Any, name: str) -> list[Thumbnail]:
    """Two small pictures of spots, each spot in a box."""
    photo = Image.new("RGB", (320, 240), (214, 196, 204))
    for spot in SPOTS:
        ImageDraw.Draw(photo).ellipse(spot, (168, 84, 120))
    packed = io.BytesIO()
    photo.save(packed, "WEBP")
    boxes = [{"label": label, "box": spot} for label, spot in zip((name, name, "WBC"), SPOTS, strict=True)]
    made = []
    for number in (1, 2):
        stored = worker.objects.put(f"datasets/{worker.dataset_id}/{number}.webp", [packed.getvalue()])
        facts = {"image": f"{name}-{number}", "split": "test", "width": 320, "height": 240, "boxes": boxes}
        files = {"object_key": stored.key, "size": stored.size, "sha256": stored.sha256}
        made.append(Thumbnail(dataset_id=worker.dataset_id, number=number, **facts, **files))
    return made


def look(page: Page, shots: Path, name: str) -> None:
    """The view that is open, in light, in dark and on a phone."""
    page.set_viewport_size({"width": 1280, "height": 900})
    for theme in ("light", "dark"):
        # Colours that are still on their way from one theme to the other are nobody's.
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.screenshot(path=shots / f"{name}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": PHONE, "height": 844})
    page.screenshot(path=shots / f"{name}-phone.png", full_page=True)


def test_every_view_is_shown_for_looking_at(watched: Any, worker: Any, sessions: Sessions, shots: Path) -> None:
    page = watched.page
    ids = fill(worker, sessions, "cells")
    for name, path in VIEWS.items():
        page.goto(path.format(**ids))
        page.wait_for_load_state("networkidle" if name == "new-job" else "load")
        if name == "job":
            page.wait_for_function("() => document.querySelector('[data-charts]').dataset.drawn > 0")
        look(page, shots, name)


def test_a_hostile_name_is_only_text_and_makes_no_view_wider_than_a_phone(
    watched: Any, worker: Any, sessions: Sessions
) -> None:
    page = watched.page
    page.set_viewport_size({"width": PHONE, "height": 844})
    ids = fill(worker, sessions, HOSTILE)
    for name, path in VIEWS.items():
        page.goto(path.format(**ids))
        page.wait_for_load_state("load")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE, name
        assert page.locator("main img:not([src^='/v1/datasets/']), main script").count() == 0, name
        assert page.title() not in {"1", "2"}, name
        assert HOSTILE[:60] in page.locator("main").inner_text() or name == "new-job", name


def test_the_boxes_of_small_pictures_lie_where_they_belong_and_can_be_hidden(
    watched: Any, worker: Any, sessions: Sessions
) -> None:
    page = watched.page
    ids = fill(worker, sessions, "cells")
    page.goto(f"/datasets/{ids['dataset']}")
    photo, box = page.locator("#picture-2 img"), page.locator("#picture-2 rect.line").nth(1)
    page.wait_for_function("() => document.querySelector('#picture-2 img').naturalWidth === 320")
    whole, part = photo.bounding_box(), box.bounding_box()
    assert whole is not None
    assert part is not None
    left, top, right, _ = SPOTS[1]
    scale = whole["width"] / 320
    assert part["x"] - whole["x"] == pytest.approx(left * scale, abs=2)
    assert part["y"] - whole["y"] == pytest.approx(top * scale, abs=2)
    assert part["width"] == pytest.approx((right - left) * scale, abs=4)
    page.get_by_role("checkbox", name="Boxes").uncheck()
    expect(box).to_be_hidden()
    expect(photo).to_be_visible()

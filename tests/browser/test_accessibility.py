"""Every view of the dashboard by axe-core, in light and in dark: nothing serious, nothing critical."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from fgfi_core.spec import JobSpec
from store import groups, jobs, keys, models, workers
from store.groups import Arm, NewGroup
from store.models import Architecture
from store.queues import Placing
from tests.browser.measurements import HOSTILE, measured_job

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
GIB = 2**30
# Colours alone differ between the themes.
RUN = """async (only) => {
    const options = { resultTypes: ['violations'], ...(only ? { runOnly: { type: 'rule', values: only } } : {}) };
    const { violations } = await axe.run(document, options);
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return grave.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(
        ({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`));
}"""


def found(page: Page, path: str) -> list[str]:
    """What axe finds wrong, said of the view."""
    # Colours that are still on their way from one theme to the other are nobody's.
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(path)
    if "/pictures?" in path:
        page.wait_for_selector('[data-state="ready"]')
    page.evaluate(AXE.read_text())
    light = page.evaluate(RUN, None)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(RUN, ["color-contrast"])
    return [f"{path}, {theme}: {one}" for theme, all_ in (("light", light), ("dark", dark)) for one in all_]


@pytest.fixture
def addresses(worker: Any, settings: Any, project_id: str) -> list[str]:
    """Every view, each with something in it."""
    done, other = measured_job(worker, curves=True), measured_job(worker, HOSTILE)
    running, failed = worker.submit("running"), worker.submit("failed")
    lease = worker.claim(running)
    worker.begin(lease, "teacher")
    worker.train(lease, "teacher", 0, 120)
    worker.fail(failed)
    with worker.sessions.begin() as session:
        base = JobSpec.model_validate_json(json.dumps(jobs.get(session, project_id, done.id).spec))
        arms = [Arm(label, {}, base, Placing()) for label in ("base", HOSTILE)]
        group = groups.create(session, project_id, NewGroup("methods", base, arms)).id
        architecture = Architecture("shuffledet-1x", ("cell", HOSTILE), (320, 240), ((16.0, 12.0),))
        model = models.begin(session, project_id, HOSTILE, architecture)
        model.state, model.size, model.sha256 = "rejected", 6_400_000, "cd" * 32
        model.error = {"code": "unfit_weights", "message": "1 missing", "hint": "Give the weights."}
        model.report = {"tensors": 9, "parameters": 1_602_312, "differences": 1, "missing": [HOSTILE]}
        keys.create(session, project_id, HOSTILE, ["read"], settings.secret_key)
        load = {"busy": 0.4, "processors": 8, "memory_used": 3 * GIB, "memory": 16 * GIB, "devices": []}
        workers.seen(session, "w1", hostname=HOSTILE, pid=1, queues=["jobs"], load=load, trouble="a device is gone")
    job_pages = [f"/jobs/{one.id}" for one in (done, running, failed)]
    parts = [f"/jobs/{done.id}/{part}" for part in ("pictures?distances=on", "evaluation", "downloads")]
    waiting = [f"/jobs/{running.id}/{part}" for part in ("pictures", "evaluation", "downloads")]
    compared = f"/compare?job={done.id}&job={other.id}"
    sections = ["/jobs", "/jobs?q=nothing", "/jobs/new", "/datasets", f"/datasets/{worker.dataset_id}"]
    sections += ["/models", f"/models/{model.id}"]
    ours = ["/groups", f"/groups/{group}", f"/groups/new?base={done.id}", "/workers", "/keys?revoked=on", "/usage"]
    return [*sections, *job_pages, *parts, *waiting, compared, *ours, "/audit", "/jobs/gone", "/nowhere"]


def test_no_view_has_a_serious_finding(watched: Any, addresses: list[str]) -> None:
    grave = [one for path in addresses for one in found(watched.page, path)]
    watched.errors.clear()  # The browser logs the two addresses that are not there.
    assert not grave, "\n".join(grave)


def test_no_empty_view_and_no_door_has_a_serious_finding(watched: Any) -> None:
    empty = ["/jobs", "/datasets", "/models", "/groups", "/workers", "/keys", "/usage", "/audit?action=nothing"]
    grave = [one for path in empty for one in found(watched.page, path)]
    watched.page.context.clear_cookies()
    grave += found(watched.page, "/login")
    watched.errors.clear()
    assert not grave, "\n".join(grave)

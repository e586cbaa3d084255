"""The dashboard in a real Chromium: the application behind a real socket, on real PostgreSQL, with the network shut."""

import math
import random
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from sqlalchemy import delete

from api.dashboard import assets
from api.main import create_app
from embedded import postgres
from fgfi_core.spec import JobSpec
from store import artifacts, attempts, datasets, jobs, leases, logins, projects
from store.artifacts import NewArtifact
from store.attempts import NewMetric, Report, Trace
from store.database import Sessions, make_engine, make_sessions
from store.events import NewEvent
from store.leases import Lease
from store.migrate import upgrade
from store.objects import ObjectStore, open_store
from store.principal import SCOPES, Principal
from store.settings import Settings
from store.tables import Base, Job

HOUR = timedelta(hours=1)
ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--no-first-run",
]
# The least that is taken: an upload in parts should not need a large file.
PART_BYTES = 5 * 1024 * 1024
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session", autouse=True)
def _assets() -> None:
    assets.fetch()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium: one on PATH, else Playwright's own."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("service")
    with postgres.running(folder / "postgres") as url:
        made = Settings(
            database_url=url,
            redis_url="redis://127.0.0.1:1/0",
            storage_url=(folder / "objects").as_uri(),
            secret_key="browser-tests-need-a-secret-of-some-length",
            worker_cache=folder / "cache",
            upload_part_bytes=PART_BYTES,
        )
        upgrade(made.database_url)
        yield made


@pytest.fixture(scope="session")
def sessions(settings: Settings) -> Iterator[Sessions]:
    engine = make_engine(settings)
    yield make_sessions(engine)
    engine.dispose()


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(settings: Settings, port: int = 0) -> Iterator[str]:
    """The application behind a socket; gives its address."""
    app = create_app(settings)
    server = _Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.ready.wait(30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    app.state.service.live.close()
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="session")
def address(settings: Settings) -> Iterator[str]:
    """Where the application listens."""
    with serving(settings) as url:
        yield url


@pytest.fixture
def project_id(sessions: Sessions) -> str:
    """The default project, with nothing in it."""
    with sessions.begin() as session:
        # Not TRUNCATE: it makes new files for every table, which takes far longer than emptying small ones.
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
        return projects.ensure(session).id


@pytest.fixture
def invite(sessions: Sessions, settings: Settings, project_id: str) -> Callable[[], str]:
    """Makes a login link for somebody who may do everything."""

    def make() -> str:
        with sessions.begin() as session:
            token = logins.create_link(session, Principal(project_id, frozenset(SCOPES)), settings.secret_key, HOUR)
        return f"/login?token={token}"

    return make


class Watched:
    """A page and what went wrong on it: outside requests, console errors, uncaught exceptions."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.outside: list[str] = []
        self.errors: list[str] = []
        self._address = address
        context.route(re.compile(".*"), self._guard)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, text: str) -> None:
        # The browser counts each refused request as an error; that input is refused is the service's work.
        if "a status of 422" not in text:
            self.errors.append(text)

    def _guard(self, route: Route) -> None:
        if route.request.url.startswith((self._address, "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()


@pytest.fixture
def watched(browser: Browser, address: str, invite: Callable[[], str]) -> Iterator[Watched]:
    """A logged-in page, still blank. The test fails when anything was asked of the outside or an error was logged."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address, locale="en-GB")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    one = Watched(context, address)
    context.request.get(invite(), max_redirects=0)  # The link as a browser opens it, without drawing where it leads.
    yield one
    context.close()
    assert one.outside == []
    assert one.errors == []


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots go, to be looked at."""
    folder = ROOT / "artifacts" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Worker:
    """Plays a worker by the store's own functions: a job whose numbers look like a real one's, told step by step."""

    STEPS, EPOCHS = 390, 30
    BEST: ClassVar = {"teacher": 0.652, "baseline": 0.583, "imitation": 0.617}

    def __init__(self, sessions: Sessions, objects: ObjectStore, project_id: str) -> None:
        self.sessions, self.objects, self.project_id = sessions, objects, project_id
        self.random = random.Random(7)
        self.leases: dict[str, Lease] = {}
        self._reports: dict[str, int] = {}
        with sessions.begin() as session:
            row = datasets.begin(session, project_id, "bccd")
            row.size, row.sha256, row.state = 7_461_213, "ab" * 32, "ready"
            self.dataset_id = row.id

    def submit(self, name: str, **changes: object) -> Job:
        spec = {
            "name": name,
            "dataset": {"id": self.dataset_id},
            "teacher": {"detector": "ssd-shufflenetv2-1x"},
            "student": {"detector": "ssd-shufflenetv2-0.25x"},
            "schedule": {"epochs": self.EPOCHS},
        }
        with self.sessions.begin() as session:
            return jobs.create(session, self.project_id, JobSpec.model_validate(spec | changes)).job

    def claim(self, job: Job) -> Lease:
        with self.sessions.begin() as session:
            claimed = leases.claim(session, job.id, worker_id="worker-1@bench", lease=HOUR, device="cpu, 2 threads")
            assert claimed is not None
        self.leases[job.id] = claimed.lease
        return claimed.lease

    def write(self, lease: Lease, **report: object) -> None:
        number = self._reports[lease.token] = self._reports.get(lease.token, 0) + 1
        with self.sessions.begin() as session:
            attempts.write(session, lease, Report(number, **report))  # type: ignore[arg-type]

    def begin(self, lease: Lease, stage: str, seed: int = 0) -> None:
        started = NewEvent("stage_started", {"stage": stage, "seed": seed, "step": 0, "steps": self.STEPS})
        self.write(lease, stage=stage, events=[started])

    def finish(self, lease: Lease, stage: str, seconds: float, seed: int = 0) -> None:
        summary = {"map50": self.BEST[stage]} if stage in self.BEST else {}
        data = {"stage": stage, "seed": seed, "seconds": seconds, "summary": summary}
        self.write(lease, events=[NewEvent("stage_finished", data)])

    def train(self, lease: Lease, stage: str, start: int, end: int, seed: int = 0) -> None:
        """Report the steps from `start` to before `end`, and the evaluations that fall in between."""
        metrics = [metric for step in range(start, end) for metric in self._step(stage, seed, step)]
        progress = {
            "stage": stage,
            "seed": seed,
            "step": end,
            "steps": self.STEPS,
            "epoch": end * self.EPOCHS // self.STEPS,
            "epochs": self.EPOCHS,
            "images_per_second": 57.3,
            "eta_seconds": (self.STEPS - end) * 0.28,
        }
        self.write(lease, metrics=metrics, progress=progress, step=end)

    def _step(self, stage: str, seed: int, step: int) -> Iterator[NewMetric]:
        done, noise = step / self.STEPS, self.random.gauss
        floor = {"teacher": 1.1, "baseline": 1.75, "imitation": 1.6}[stage]
        loss = floor + 5.2 * math.exp(-7 * done) + abs(noise(0, 0.22)) + (step < 12) * (12 - step) * 0.25
        values = {
            "loss": loss,
            "loss/classification": 0.62 * loss,
            "loss/box": 0.38 * loss,
            "learning_rate": 0.02 * min(1, step / 40) * (0.5 + 0.5 * math.cos(math.pi * done)),
        }
        if stage == "imitation":
            values["loss/imitation"] = 0.9 * math.exp(-3 * done) + 0.2 + abs(noise(0, 0.03))
        if step % 26 == 25 or step == self.STEPS - 1:
            best = self.BEST[stage]
            at = max(0.0, best * (1 - math.exp(-5.2 * (step + 1) / self.STEPS)) + noise(0, 0.006) * (1 - done))
            values |= {"val/map50": at, "val/map50_11": at + 0.012}
            for name, share in (("Platelets", 0.76), ("RBC", 1.02), ("WBC", 1.22)):
                values[f"val/ap50/{name}"] = min(1.0, at * share + noise(0, 0.01))
        epoch = (step + 1) * self.EPOCHS / self.STEPS
        return (NewMetric(stage, seed, name, step + 1, epoch, value) for name, value in values.items())

    @staticmethod
    def content(name: str, job_id: str) -> bytes:
        return f"{name} of {job_id}".encode() * 2000

    def deliver(self, lease: Lease, name: str, kind: str, media_type: str, **facts: float | bool) -> None:
        key = f"jobs/{lease.job_id}/{kind}"
        stored = self.objects.put(key, [self.content(name, lease.job_id)])
        new = NewArtifact(name, kind, f"exports/{name}", key, media_type, stored.size, stored.sha256, facts)
        with self.sessions.begin() as session:
            artifacts.publish(session, lease, new)

    def complete(self, job: Job) -> None:
        """A whole job, up to its end."""
        lease = self.claim(job)
        self.write(lease, resolved={"device": "cpu"})
        for stage, seconds in (("preflight", 2.1), ("teacher", 118.0), ("baseline", 84.0), ("imitation", 97.0)):
            self.begin(lease, stage)
            if stage != "preflight":
                self.train(lease, stage, 0, self.STEPS)
            self.finish(lease, stage, seconds)
        self.conclude(job)

    def conclude(self, job: Job) -> None:
        """What follows the trainings."""
        lease = self.leases[job.id]
        self.begin(lease, "export")
        for kind, latency, off in (("onnx", 3.42, 4.1e-5), ("safetensors", 9.8, 0.0)):
            facts = {"map50": 0.617, "latency_ms": latency, "parity": True, "max_box_difference": off}
            self.deliver(lease, f"student.{kind}", kind, "application/octet-stream", **facts)
        self.finish(lease, "export", 11.2)
        self.begin(lease, "report")
        self.deliver(lease, "report.html", "report", "text/html")
        self.finish(lease, "report", 3.9)
        with self.sessions.begin() as session:
            attempts.succeed(session, lease, {"name": job.name}, Trace("The run is complete."))

    def fail(self, job: Job) -> None:
        lease = self.claim(job)
        self.begin(lease, "preflight")
        error = {
            "code": "bad_data",
            "message": "JPEGImages/BloodImage_00007.jpg cannot be decoded: the file ends after 1,204 bytes.",
            "hint": "Replace the file in your data set and upload it again.",
        }
        with self.sessions.begin() as session:
            attempts.fail(session, lease, error, Trace(error["message"]))


@pytest.fixture
def worker(sessions: Sessions, settings: Settings, project_id: str) -> Worker:
    return Worker(sessions, open_store(settings.storage_url), project_id)

"""How fast the dashboard opens: first paint, bytes over the wire, a long list, long curves. Prints two tables.

Needs the dashboard's assets (`make setup`) and a Chromium. Arms take turns, so that a busy machine is busy for both.
"""

import argparse
import shutil
import socket
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from sqlalchemy import select, text

from api.main import create_app
from bench.queue_filling import fill
from embedded import postgres
from store import logins
from store.database import make_engine, make_sessions
from store.migrate import upgrade
from store.principal import SCOPES, Principal
from store.settings import Settings
from store.tables import Job

PROJECT = "project-0"
POINTS = 100_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"
DRAWN = "() => document.querySelector('[data-charts]')?.dataset.drawn"
_METRICS = text("""
    INSERT INTO metrics (job_id, stage, seed, name, step, attempt, epoch, value)
    SELECT :job, stage, 0, name, step, 1, step / 1000.0, 2 * exp(-step / 20000.0) + random()
    FROM unnest(ARRAY['teacher', 'baseline', 'imitation']) AS stage, unnest(ARRAY['loss', 'loss/box']) AS name,
         generate_series(1, :points) AS step
""")


@dataclass
class Opened:
    """Visits of one page: milliseconds to its first paint, kilobytes and requests of a visit with an empty cache."""

    paints: list[float] = field(default_factory=list)
    kilobytes: float = 0.0
    requests: int = 0


@dataclass(frozen=True)
class Service:
    """A running service, a link into it, and the job whose curves are long."""

    address: str
    settings: Settings
    job_id: str


def main() -> None:
    """Fill two services, visit their pages in turns, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, nargs=2, default=(100, 100_000), metavar=("FEW", "MANY"))
    chosen = parser.parse_args()
    with ExitStack() as stack, sync_playwright() as playwright:
        few, many = (stack.enter_context(_filled(rows)) for rows in chosen.jobs)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        pages = ("/jobs", "/jobs?state=failed", "/jobs?q=roads", "/jobs/{job}", "/jobs/new", "/datasets", "/models")
        found = {(path, service.address): Opened() for path in pages for service in (few, many)}
        for _ in range(chosen.rounds):
            for path in pages:
                for service in (few, many):
                    _visit(browser, service, path, found[path, service.address])
        print(f"| page | first paint, ms, {chosen.jobs[0]} jobs | {chosen.jobs[1]} jobs | ratio | kB | requests |")
        print("|---|---|---|---|---|---|")
        for path in pages:
            small, large = found[path, few.address], found[path, many.address]
            one, other = statistics.median(small.paints), statistics.median(large.paints)
            print(
                f"| {path} | {one:.0f} | {other:.0f} | {other / one:.2f} | {large.kilobytes:.1f} | {large.requests} |"
            )
        print(f"\nCurves of 3 x {POINTS} points:", ", ".join(_curves(browser, many)))
        browser.close()


def _visit(browser: Browser, service: Service, path: str, opened: Opened) -> None:
    context = _logged_in(browser, service)
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(service.address + path.format(job=service.job_id), wait_until="load")
    page.wait_for_function(PAINTED)  # By then the sizes of what was loaded have been told, too.
    opened.kilobytes, opened.requests = sum(sizes) / 1000, len(sizes)
    # A second time, as pages are mostly opened: the browser has the files and only asks after them.
    page.goto(service.address + path.format(job=service.job_id), wait_until="load")
    page.wait_for_function(PAINTED)
    opened.paints.append(page.evaluate(PAINT))
    context.close()


def _curves(browser: Browser, service: Service) -> Iterator[str]:
    """How long after its address was asked for the page has drawn the curves, and how long a redraw takes."""
    context = _logged_in(browser, service)
    page = context.new_page()
    page.goto(f"{service.address}/jobs/{service.job_id}")
    page.wait_for_function(DRAWN)
    yield f"drawn {page.evaluate('() => performance.now()'):.0f} ms after the start"
    yield f"{page.evaluate(DRAWN)} points sent"
    smoothing = "() => { const at = performance.now(); const range = document.querySelector('[name=smoothing]'); "
    smoothing += "range.dispatchEvent(new Event('input', { bubbles: true })); return performance.now() - at; }"
    yield f"redrawn in {page.evaluate(smoothing):.1f} ms"
    context.close()


def _logged_in(browser: Browser, service: Service) -> BrowserContext:
    engine = make_engine(service.settings, pool_size=1)
    with make_sessions(engine).begin() as session:
        holder = Principal(PROJECT, frozenset(SCOPES))
        token = logins.create_link(session, holder, service.settings.secret_key, timedelta(hours=1))
    engine.dispose()
    context = browser.new_context()
    context.request.get(f"{service.address}/login?token={token}")
    return context


@contextmanager
def _filled(rows: int) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as name, postgres.running(Path(name) / "postgres") as url:
        settings = Settings(
            database_url=url,
            redis_url="redis://127.0.0.1:1/0",
            storage_url=(Path(name) / "objects").as_uri(),
            secret_key="measurements-need-a-secret-of-some-length",  # noqa: S106 - of a service that lives for minutes
            worker_cache=Path(name) / "cache",
        )
        upgrade(url)
        engine = make_engine(settings)
        fill(engine, rows)
        with make_sessions(engine).begin() as session:
            query = select(Job.id).where(Job.project_id == PROJECT, Job.state == "succeeded")
            job_id = session.scalars(query.order_by(Job.created_at.desc()).limit(1)).one()
            session.execute(_METRICS, {"job": job_id, "points": POINTS})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        engine.dispose()
        with _serving(settings) as address:
            yield Service(address, settings, job_id)


@contextmanager
def _serving(settings: Settings) -> Iterator[str]:
    app = create_app(settings)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    app.state.service.live.close()
    server.should_exit = True
    thread.join(30)


if __name__ == "__main__":
    main()

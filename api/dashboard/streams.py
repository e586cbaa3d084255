"""The one live stream of a page: it says which parts are out of date, and the page asks for their new HTML."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

from api.dashboard.access import Resident
from api.deps import ServiceDep
from api.event_stream import PING
from api.routes.job_history import EVENT_STREAM, STREAM_HEADERS
from api.service import Service
from store import jobs
from store.database import AWAY
from store.errors import NotFound
from store.states import is_terminal

router = APIRouter(include_in_schema=False)

# A person sees no more than this; many changes in between are one.
LEAST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Look:
    """What of a job can change on its page."""

    state: str
    version: int
    last_sequence: int


@router.get("/jobs/stream", response_class=StreamingResponse)
def stream_list(resident: Resident, service: ServiceDep) -> StreamingResponse:
    """`jobs` whenever any job changed. The hint may be another project's: the list itself shows only one's own."""
    del resident
    return StreamingResponse(_list_hints(service), media_type=EVENT_STREAM, headers=STREAM_HEADERS)


@router.get("/jobs/{job_id}/stream", response_class=StreamingResponse)
def stream_job(job_id: str, resident: Resident, service: ServiceDep) -> StreamingResponse:
    """`job`, `events` and `metrics` whenever these are new; `end` when the job is over."""
    look = _look(service, resident.project_id, job_id)
    return StreamingResponse(
        _job_hints(service, resident.project_id, job_id, look), media_type=EVENT_STREAM, headers=STREAM_HEADERS
    )


async def _list_hints(service: Service) -> AsyncIterator[bytes]:
    with service.live.watch() as watch:
        yield b"retry: 2000\n\n"
        # As below: the page is older than its stream.
        yield _hint("jobs")
        while not watch.closing:
            changed = await watch.wait()
            if changed and not watch.closing:
                yield _hint("jobs")
                await asyncio.sleep(LEAST_PAUSE_SECONDS)
            else:
                yield PING


async def _job_hints(service: Service, project_id: str, job_id: str, seen: Look) -> AsyncIterator[bytes]:
    with service.live.watch(job_id) as watch:
        yield b"retry: 2000\n\n"
        # The page was rendered before this stream began: what changed in between would otherwise be missed.
        yield _hint("job") + _hint("events")
        while not watch.closing:
            if is_terminal(seen.state):
                yield _hint("metrics") + _hint("end")
                return
            if not await watch.wait():
                yield PING
                continue
            try:
                look = await run_in_threadpool(_look, service, project_id, job_id)
            except (NotFound, *AWAY):
                return
            if look.version != seen.version:
                yield _hint("job")
            if look.last_sequence != seen.last_sequence:
                yield _hint("events")
            # Metrics leave no trace in the job's row, but each time they are written the listeners are woken.
            yield _hint("metrics")
            seen = look
            await asyncio.sleep(LEAST_PAUSE_SECONDS)


def _look(service: Service, project_id: str, job_id: str) -> Look:
    with service.sessions.begin() as session:
        job = jobs.get(session, project_id, job_id)
        return Look(job.state, job.version, job.last_sequence)


def _hint(name: str) -> bytes:
    # A message without data is not delivered by browsers.
    return format_sse_event(event=name, data_str="1")

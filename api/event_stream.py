"""Server-sent events of one job: replay what is stored, then wait, without holding a database connection."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

from api.schemas.jobs import EventOut
from api.service import Service
from store import events, jobs, logins
from store.database import AWAY
from store.errors import NotFound
from store.principal import Principal
from store.states import is_terminal

log = structlog.get_logger("api.stream")

PING = b": ping\n\n"
AT_ONCE = 200


@dataclass(frozen=True)
class News:
    """What is new in a job since a sequence."""

    events: list[EventOut]
    progress: dict[str, Any] | None
    state: str
    last_sequence: int


async def follow(service: Service, reader: Principal, job_id: str, seen: int) -> AsyncIterator[bytes]:
    """All events after `seen`, now and as they come, until the job is over or deleted, or the reader's key is."""
    told: dict[str, Any] | None = None
    with service.live.watch(job_id) as watch:
        yield b"retry: 2000\n\n"
        while not watch.closing:
            try:
                news = await run_in_threadpool(_news, service, reader, job_id, seen)
            except NotFound:
                yield format_sse_event(event="end", data_str=json.dumps({"state": "deleted"}))
                return
            except AWAY:
                log.warning("stream_broken", job=job_id)
                return  # Without `end`: the client comes again with the last id it saw.
            if news is None:
                return  # As above: by the answer to its next request the client learns why.
            for event in news.events:
                seen = event.sequence
                yield format_sse_event(event=event.kind, id=str(seen), data_str=event.model_dump_json())
            if news.progress is not None and news.progress != told:
                told = news.progress
                yield format_sse_event(event="progress", data_str=json.dumps(told))
            if seen < news.last_sequence:
                continue
            if is_terminal(news.state):
                yield format_sse_event(event="end", data_str=json.dumps({"state": news.state}))
                return
            if not await watch.wait():
                yield PING


def _news(service: Service, reader: Principal, job_id: str, seen: int) -> News | None:
    """What is new; None for a reader whose key or session does not work any more."""
    with service.sessions.begin() as session:
        if not logins.still_in(session, reader):
            return None
        # The job first: what is committed in between shows up as events beyond its last sequence, never as a gap.
        job = jobs.get(session, reader.project_id, job_id)
        found = events.events_after(session, reader.project_id, job_id, seen, limit=AT_ONCE)
        return News([EventOut.of(row) for row in found], job.progress, job.state, job.last_sequence)

"""/v1/jobs/{id}/events, its live stream, and /v1/jobs/{id}/metrics."""

import math
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from api.deps import Reader, ServiceDep, SessionDep
from api.event_stream import follow
from api.problems import responses
from api.schemas.jobs import EventOut, EventsOut, MetricsOut, SeriesOut
from api.scores import ROLE_OF_STAGE
from fgfi_core.spec import Stage
from store import events, jobs, metrics
from store.metric_thinning import ALL_STEPS, Series

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"])

STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
EVENT_STREAM = "text/event-stream"
EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "description": "The event's kind, `progress` or `end`."},
        "id": {"type": "string", "description": "Its sequence, to be sent as Last-Event-ID after a break."},
        "data": {"type": "string", "description": "JSON: an event as /events lists it; of `end` the job's state."},
        "retry": {"type": "integer"},
    },
}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The stream", "content": {EVENT_STREAM: {"itemSchema": EVENT}}}
}


@router.get("/events", response_model=EventsOut, responses=responses(401, 403, 404, 422))
def list_events(
    job_id: str,
    principal: Reader,
    session: SessionDep,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> EventsOut:
    """What happened to the job, oldest first, after the sequence `after`."""
    found = events.events_after(session, principal.project_id, job_id, after, limit=limit + 1)
    return EventsOut(data=[EventOut.of(row) for row in found[:limit]], has_more=len(found) > limit)


@router.get(
    "/events/stream",
    response_class=StreamingResponse,
    responses=responses(401, 403, 404, 422) | STREAM,
)
def stream_events(
    job_id: str,
    principal: Reader,
    service: ServiceDep,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
) -> StreamingResponse:
    """The same, live, as server-sent events: the past first, then each event as it happens; `end` closes it.

    Each event's `id` is its sequence: a client that comes again with `Last-Event-ID` misses nothing. Events without
    an id (`progress`) tell how far the stage is and are not repeated.
    """
    with service.sessions.begin() as session:  # Over before the stream begins: waiting holds no connection.
        jobs.get(session, principal.project_id, job_id)
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 19 else after
    stream: AsyncIterator[bytes] = follow(service, principal, job_id, seen)
    return StreamingResponse(stream, media_type=EVENT_STREAM, headers=STREAM_HEADERS)


@router.get("/metrics", response_model=MetricsOut, responses=responses(401, 403, 404, 422))
def list_metrics(
    job_id: str,
    principal: Reader,
    session: SessionDep,
    name: Annotated[
        list[str] | None, Query(description="Exact, or a beginning that ends in `*`; default: all.")
    ] = None,
    stage: Annotated[list[Stage] | None, Query()] = None,
    max_points: Annotated[int, Query(ge=10, le=10_000)] = 1000,
    from_step: Annotated[int, Query(ge=0, lt=2**62)] = ALL_STEPS[0],
    to_step: Annotated[int, Query(ge=0, le=2**62)] = ALL_STEPS[1],
) -> MetricsOut:
    """Series over steps, thinned to about `max_points` each, with every peak kept."""
    job = jobs.get(session, principal.project_id, job_id)
    series = metrics.series(
        session,
        job.project_id,
        job.id,
        names=name or (),
        stages=stage or (),
        max_points=max_points,
        steps=(from_step, to_step),
    )
    began = job.started_at or job.created_at
    return MetricsOut(names=metrics.names(session, job.id), series=[_series(one, began) for one in series])


def _series(series: Series, began: datetime) -> SeriesOut:
    return SeriesOut(
        stage=series.stage,
        role=ROLE_OF_STAGE.get(series.stage),
        seed=series.seed,
        name=series.name,
        total=series.total,
        steps=[point.step for point in series.points],
        epochs=[point.epoch for point in series.points],
        seconds=[round((point.time - began).total_seconds(), 3) for point in series.points],
        values=[point.value if math.isfinite(point.value) else None for point in series.points],
    )

"""Live streams over a real socket."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
from fastapi import FastAPI

from store import attempts, jobs, logins
from store.attempts import NewMetric, Report
from store.database import Sessions
from store.events import NewEvent
from store.leases import Claim, Lease
from store.principal import Principal
from store.settings import Settings
from store.tables import Job
from tests.integration.api.conftest import HOUR

Event = dict[str, Any]


def read(response: httpx.Response) -> Iterator[Event]:
    """The events of a stream, pings left out."""
    event: Event = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            event[name] = json.loads(value) if name == "data" else value
        elif event:
            if "event" in event:
                yield event
            event = {}


def log(sessions: Sessions, lease: Lease, number: int, message: str, progress: dict[str, Any] | None = None) -> None:
    event = NewEvent("log", {"level": "info", "message": message, "code": ""})
    with sessions.begin() as session:
        attempts.write(session, lease, Report(number, events=[event], progress=progress))


def test_a_stream_replays_the_past_tells_the_present_and_ends(
    server: httpx.Client,
    sessions: Sessions,
    make_job: Callable[[], Job],
    claim: Callable[[Job], Claim],
    project_id: str,
) -> None:
    job = make_job()
    lease = claim(job).lease
    with server.stream("GET", f"/v1/jobs/{job.id}/events/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = read(response)
        past = [next(stream), next(stream)]
        assert [event["data"]["data"]["to"] for event in past] == ["queued", "running"]
        log(sessions, lease, 1, "hello", {"stage": "teacher", "step": 3})
        assert next(stream)["data"]["data"]["message"] == "hello"
        assert next(stream) == {"event": "progress", "data": {"stage": "teacher", "step": 3}}
        with sessions.begin() as session:
            jobs.cancel(session, project_id, job.id)
        assert next(stream)["data"]["data"]["to"] == "cancelling"
        with sessions.begin() as session:
            attempts.stop(session, lease, attempts.Trace("stopped"))
        rest = list(stream)
    assert [event["event"] for event in rest] == ["state", "end"]
    assert rest[-1]["data"] == {"state": "cancelled"}


def test_a_stream_ends_with_the_key_that_opened_it(
    server: httpx.Client,
    sessions: Sessions,
    make_job: Callable[[], Job],
    claim: Callable[[Job], Claim],
) -> None:
    job = make_job()
    lease = claim(job).lease
    made = server.post("/v1/keys", json={"name": "lost", "scopes": ["read"]}).json()
    headers = {"authorization": f"Bearer {made['token']}"}
    with server.stream("GET", f"/v1/jobs/{job.id}/events/stream", headers=headers) as response:
        stream = read(response)
        assert [next(stream)["event"] for _ in range(2)] == ["state", "state"]
        assert server.delete(f"/v1/keys/{made['id']}").status_code == 204
        log(sessions, lease, 1, "not for everybody")
        assert list(stream) == []


def test_a_client_that_comes_again_misses_nothing_and_hears_nothing_twice(
    server: httpx.Client,
    sessions: Sessions,
    make_job: Callable[[], Job],
    claim: Callable[[Job], Claim],
    project_id: str,
) -> None:
    job = make_job()
    lease = claim(job).lease
    for number in range(1, 6):
        log(sessions, lease, number, f"line {number}")
    with server.stream("GET", f"/v1/jobs/{job.id}/events/stream") as response:
        stream = read(response)
        seen = [next(stream)["id"] for _ in range(4)]
    log(sessions, lease, 6, "while away")
    with sessions.begin() as session:
        jobs.cancel(session, project_id, job.id)
        attempts.stop(session, lease, attempts.Trace("stopped"))
    with server.stream("GET", f"/v1/jobs/{job.id}/events/stream", headers={"last-event-id": seen[-1]}) as response:
        rest = [event["id"] for event in read(response) if "id" in event]
    assert seen + rest == [str(number) for number in range(1, 11)]
    listed = server.get(f"/v1/jobs/{job.id}/events").json()["data"]
    assert [str(event["sequence"]) for event in listed] == seen + rest


def test_open_streams_hold_no_database_connection(
    server: httpx.Client, app: FastAPI, make_job: Callable[[], Job]
) -> None:
    job = make_job()
    with ExitStack() as stack:
        limits = httpx.Limits(max_connections=None)
        many = stack.enter_context(httpx.Client(base_url=server.base_url, headers=server.headers, limits=limits))
        for _ in range(50):
            response = stack.enter_context(many.stream("GET", f"/v1/jobs/{job.id}/events/stream"))
            assert next(read(response))["event"] == "state"
        # The events are out, so each stream's transaction is over; one may just be handing its connection back.
        pool = app.state.service.engine.pool
        for _ in range(100):
            if pool.checkedout() == 0:
                break
            server.get("/healthz")
        assert pool.checkedout() == 0
        app.state.service.live.close()


def test_the_stream_of_a_list_begins_with_a_hint_because_its_page_is_older(
    server: httpx.Client, sessions: Sessions, settings: Settings, project_id: str
) -> None:
    with sessions.begin() as session:
        token = logins.create_link(session, Principal(project_id, frozenset({"read"})), settings.secret_key, HOUR)
    server.get("/login", params={"token": token})
    with server.stream("GET", "/jobs/stream") as response:
        first = next(line for line in response.iter_lines() if line.startswith(("event: ", ": ping")))
    assert first == "event: jobs"


def test_metrics_come_as_series_by_role(
    server: httpx.Client, sessions: Sessions, make_job: Callable[[], Job], claim: Callable[[Job], Claim]
) -> None:
    job = make_job()
    values = [
        NewMetric("teacher", 0, "loss", 1, 0.1, 3.0),
        NewMetric("teacher", 0, "loss", 2, 0.2, float("nan")),
        NewMetric("imitation", 0, "val/map50", 2, 0.2, 0.5),
    ]
    with sessions.begin() as session:
        attempts.write(session, claim(job).lease, Report(1, metrics=values))
    found = server.get(f"/v1/jobs/{job.id}/metrics").json()
    assert found["names"] == ["loss", "val/map50"]
    assert {one["role"]: (one["steps"], one["epochs"], one["values"]) for one in found["series"]} == {
        "teacher": ([1, 2], [0.1, 0.2], [3.0, None]),
        "imitated": ([2], [0.2], [0.5]),
    }
    only = server.get(f"/v1/jobs/{job.id}/metrics", params={"name": ["val/*"]}).json()
    assert [one["name"] for one in only["series"]] == ["val/map50"]
    assert server.get(f"/v1/jobs/{job.id}").json()["scores"]["imitated"] == 0.5

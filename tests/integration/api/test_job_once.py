"""One idempotency key, many requests at once, two API processes' worth of connections: one job."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from starlette.testclient import TestClient

from api.main import create_app
from fgfi_core.spec import JobSpec
from store.database import Sessions
from store.settings import Settings
from store.tables import Job, Outbox

POSTS = 16


@pytest.fixture
def second(settings: Settings, sessions: Sessions) -> Iterator[FastAPI]:
    """Another API process: it shares nothing with the first but the database."""
    del sessions
    made = create_app(settings)
    yield made
    made.state.service.engine.dispose()


def test_sixteen_posts_of_one_key_make_one_job(
    client: TestClient, second: FastAPI, job_spec: JobSpec, sessions: Sessions
) -> None:
    other = TestClient(second, base_url="http://localhost", headers=dict(client.headers))
    # An application makes its routes ready at its first request, and two of them in one process share the types that
    # pydantic completes then, from one thread at a time only. Processes have one application each.
    assert [caller.get("/healthz").status_code for caller in (client, other)] == [200, 200]
    together = threading.Barrier(POSTS)

    def post(number: int) -> tuple[int, str]:
        caller = (client, other)[number % 2]
        together.wait()
        while True:  # As the client library does: 409 says that a twin is worked on.
            answer = caller.post("/v1/jobs", content=job_spec.model_dump_json(), headers={"idempotency-key": "once"})
            if answer.status_code != 409:
                return answer.status_code, str(answer.json().get("id", answer.text))
            assert answer.json()["code"] == "idempotency_in_flight"

    with ThreadPoolExecutor(POSTS) as pool:
        answers = list(pool.map(post, range(POSTS)))
    assert len(set(answers)) == 1, answers
    assert answers[0][0] == 201
    with sessions.begin() as session:
        assert session.scalars(select(func.count()).select_from(Job)).one() == 1
        assert session.scalars(select(func.count()).select_from(Outbox)).one() == 1

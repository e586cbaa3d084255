"""The client for asyncio."""

import asyncio
import inspect
import json
import threading
from collections.abc import Callable

import httpx
import pytest

from client.aio import AsyncFgfi, AsyncGroups, AsyncRegistry
from client.connection import Connection
from client.errors import EXIT_REFUSED, ClientError
from client.exports import Exports
from client.groups import Groups
from client.keys import Keys
from client.models import StreamEvent
from client.registry import Registry
from client.sdk import Fgfi
from tests.client.test_sdk import JOB, event

MakeService = Callable[[Callable[[httpx.Request], httpx.Response]], Fgfi]
THERE = Connection("http://service", "fgfi_key")
OVER = JOB | {"state": "succeeded"}


def methods(kind: type) -> set[str]:
    """What people call of a class."""
    found = {name for name, _ in inspect.getmembers(kind, lambda one: callable(one) or isinstance(one, property))}
    return {name for name in found if not name.startswith("_")}


def offered(made: object) -> set[str]:
    return {name for name in dir(made) if not name.startswith("_")}


def test_it_has_every_method_that_the_other_has(make_service: MakeService) -> None:
    service = AsyncFgfi(make_service(lambda _: httpx.Response(200, json={})), THERE)

    assert methods(Fgfi) <= offered(service)
    assert methods(Registry) <= offered(service.models)
    assert methods(Groups) <= offered(service.groups)
    assert methods(Keys) <= offered(service.keys)
    assert methods(Exports) <= offered(service.exports)
    assert isinstance(service.models, AsyncRegistry)
    assert isinstance(service.groups, AsyncGroups)


def test_many_calls_are_under_way_at_once(make_service: MakeService) -> None:
    together = threading.Barrier(3, timeout=30)

    def answer(request: httpx.Request) -> httpx.Response:
        together.wait()  # Passes only when three requests are under way.
        return httpx.Response(200, json=JOB | {"id": request.url.path.split("/")[-1]})

    async def ask() -> list[str]:
        async with AsyncFgfi(make_service(answer), THERE) as service:
            jobs = await asyncio.gather(*(service.job(f"job_{number}") for number in range(3)))
        return [job.id for job in jobs]

    assert asyncio.run(ask()) == ["job_0", "job_1", "job_2"]


def test_a_stream_that_breaks_off_is_taken_up_where_it_broke(
    make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def stream(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        texts = [event(1, "state") + event(2, "log"), event(3, "state")]
        return httpx.Response(200, text=texts[len(asked) - 1], headers={"content-type": "text/event-stream"})

    states = iter([JOB, OVER])
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("client.aio.asyncio.sleep", sleep)

    async def follow() -> list[StreamEvent]:
        service = make_service(lambda _: httpx.Response(200, json=next(states)))
        async with AsyncFgfi(service, THERE, httpx.MockTransport(stream)) as there:
            return [one async for one in there.follow("job_1")]

    heard = asyncio.run(follow())

    assert [one.sequence for one in heard] == [1, 2, 3]
    assert asked == [None, "2"]
    assert slept == [0.5]


def test_a_stream_that_is_refused_says_why(make_service: MakeService) -> None:
    problem = {"code": "not_found", "detail": "There is no job job_1."}
    transport = httpx.MockTransport(lambda _: httpx.Response(404, text=json.dumps(problem)))

    async def follow() -> None:
        async with AsyncFgfi(make_service(lambda _: httpx.Response(200)), THERE, transport) as service:
            async for _ in service.follow("job_1"):
                pass

    with pytest.raises(ClientError, match=r"There is no job job_1\.") as caught:
        asyncio.run(follow())

    assert caught.value.exit_code == EXIT_REFUSED

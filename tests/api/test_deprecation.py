"""Calls that will end say so, in their description and in every answer."""

from datetime import date
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from api.deprecation import ending
from api.problems import Problem

EXTRA = ending(since=date(2027, 1, 1), until=date(2027, 7, 1), instead="/v1/new")
TOLD = {
    "deprecation": "@1798761600",
    "sunset": "Thu, 01 Jul 2027 00:00:00 GMT",
    "link": '</v1/new>; rel="successor-version"',
}


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """With a call that will end and one that will not."""
    router = APIRouter(prefix="/v1")

    @router.get("/old", deprecated=True, openapi_extra=EXTRA)
    def old(broken: bool = False) -> dict[str, Any]:
        if broken:
            raise Problem(409, "conflict", "It does not fit.")
        return {}

    @router.get("/lasting")
    def lasting() -> dict[str, Any]:
        return {}

    app.include_router(router)
    return app


def test_a_call_that_will_end_says_so_in_every_answer(client: TestClient) -> None:
    for query in ({}, {"broken": True}, {"broken": "nonsense"}):
        answer = client.get("/v1/old", params=query)
        assert TOLD.items() <= dict(answer.headers).items()


def test_a_call_that_lasts_does_not(client: TestClient) -> None:
    assert not TOLD.keys() & client.get("/v1/lasting").headers.keys()


def test_the_description_says_so_too(app: FastAPI) -> None:
    calls = app.openapi()["paths"]
    assert calls["/v1/old"]["get"]["deprecated"] is True
    assert {"Deprecation", "Sunset", "Link"} == set(calls["/v1/old"]["get"]["responses"]["200"]["headers"])
    assert "headers" not in calls["/v1/lasting"]["get"]["responses"]["200"]


def test_an_end_needs_half_a_years_notice() -> None:
    with pytest.raises(ValueError, match="six months"):
        ending(since=date(2027, 1, 1), until=date(2027, 2, 1), instead="/v1/new")

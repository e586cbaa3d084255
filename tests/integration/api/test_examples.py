"""The examples of the description, made: each request of `api/examples/` is sent, each answer has the shape it shows.

A new call needs a file there, named for its function: `path`, `query`, `headers` and `body` (or `content`, by its name
in `scene.py`) of a request, and the `status` of its answer. `make examples` fills the answer in, and renews one whose
shape has changed.
"""

import json
import os
import re
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.calls import calls
from api.openapi import EXAMPLES, example_of
from store.settings import Settings
from tests.integration.api.conftest import MakeKey
from tests.integration.api.scene import CONTENT, Scene

WRITE = bool(os.environ.get("WRITE_EXAMPLES"))
LISTED = 2
CALLS = sorted(file.stem for file in EXAMPLES.glob("*.json"))
TOKEN = re.compile(r"(fgfi_|whsec_|token=)[A-Za-z0-9+/=_-]{8,}")


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    return settings.model_copy(update={"redis_url": redis_url})


@pytest.fixture
def client(client: TestClient, make_key: MakeKey) -> TestClient:
    client.headers["authorization"] = f"Bearer {make_key('operator')}"
    return client


def shape(value: Any) -> Any:
    """A value's fields and kinds; of a list the kinds of what is in it."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return list({json.dumps(shape(item), sort_keys=True): shape(item) for item in value}.values())
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def short(value: Any) -> Any:
    """An answer as an example shows it: lists cut short, secrets blanked."""
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [short(item) for item in value[:LISTED]]
    return TOKEN.sub(r"\1...", value) if isinstance(value, str) else value


def route_of(app: FastAPI, call: str) -> tuple[str, str]:
    """The method and the path of a call."""
    for route in calls(app):
        if route.include_in_schema and route.name == call:
            return next(iter(route.methods or ())), route.path
    raise AssertionError(f"api/examples/{call}.json is of no call that there is")


def test_every_call_has_an_example(app: FastAPI) -> None:
    described = {call["operationId"] for methods in app.openapi()["paths"].values() for call in methods.values()}
    assert described == set(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_an_example_is_answered_as_it_shows(call: str, app: FastAPI, client: TestClient, scene: Scene) -> None:
    example = example_of(call)
    method, path = route_of(app, call)
    given = scene.real({key: example.get(key, {}) for key in ("path", "query", "headers")})

    answer = client.request(
        method,
        path.format_map(given["path"]),
        params=given["query"],
        headers=given["headers"],
        json=scene.real(example["body"]) if "body" in example else None,
        content=CONTENT[example["content"]] if "content" in example else None,
    )

    assert answer.status_code == example["status"], answer.text
    if not answer.content or not answer.headers["content-type"].endswith("json"):
        assert "response" not in example
        return
    if not example.get("shown", True):  # Too long for a page.
        return
    found = scene.shown(short(answer.json()))
    if WRITE and shape(found) != shape(example.get("response")):
        kept = {key: value for key, value in example.items() if key != "response"}
        text = json.dumps({**kept, "response": found}, indent=2, ensure_ascii=False)
        (EXAMPLES / f"{call}.json").write_text(f"{text}\n")
        return
    assert shape(example["response"]) == shape(found), f"make examples; {answer.text}"

"""The API's description: FastAPI's own, plus what routes read by hand, examples, and what any call may answer.

Of every call there is an example in `api/examples/`, a file a call, named for its function. A test makes each request
and compares the answer.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from api import deprecation
from api.error_codes import CODES
from api.problems import MEDIA_TYPE, ProblemDetails, example, responses
from fgfi_core.spec import JobSpec

DESCRIPTION = """Distils object detectors by fine-grained feature imitation: upload a data set, post a job, follow it,
download a small detector that was measured again after its export. Errors are `application/problem+json`; the `type` of
each leads to its cause and cure. Within v1 there are only additions: ignore fields that you do not know."""
EXAMPLES = Path(__file__).with_name("examples")
# Of any call, whatever it is for.
ALWAYS = (400, 429, 500, 503)
BODY = ("application/json", "application/yaml")


def name_of(route: APIRoute) -> str:
    """A call's `operationId`: the name of its function."""
    return route.name


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        _, extra = models_json_schema(
            [(JobSpec, "validation"), (ProblemDetails, "serialization")], ref_template="#/components/schemas/{model}"
        )
        _say_what_422_is(document)
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(extra["$defs"])
        components["examples"] = {code: example(code) for code in CODES}
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}}
        document["security"] = [{"key": []}]
        for call in _calls(document):
            _add_what_any_call_answers(call)
            _add_example(call)
        deprecation.describe(app, document)
        _say_pairs_simply(components["schemas"])
        app.openapi_schema = document
    return app.openapi_schema


@cache
def example_of(call: str) -> dict[str, Any]:
    """The example of a call by its `operationId`: {path, query, headers, body, status, response}; empty if none."""
    file = EXAMPLES / f"{call}.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _calls(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [call for methods in document["paths"].values() for call in methods.values()]


def _say_what_422_is(document: dict[str, Any]) -> None:
    """FastAPI describes wrong fields in a form of its own, which this service never answers."""
    for call in _calls(document):
        if "HTTPValidationError" in json.dumps(call["responses"].get("422", "")):
            call["responses"]["422"] = responses(422)[422]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _say_pairs_simply(schema: Any) -> None:
    """A pair of two of a kind as an array of two: many generators of clients do not know `prefixItems`."""
    if isinstance(schema, dict):
        places = schema.get("prefixItems")
        if isinstance(places, list) and all(place == places[0] for place in places):
            schema["items"] = schema.pop("prefixItems")[0]
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _say_pairs_simply(part)


def _add_what_any_call_answers(call: dict[str, Any]) -> None:
    also = (*ALWAYS, 413) if "requestBody" in call else ALWAYS
    for status, answer in responses(*also).items():
        there = call["responses"].setdefault(str(status), answer)
        named = answer["content"][MEDIA_TYPE]["examples"]
        known = there.get("content", {}).get(MEDIA_TYPE, {}).get("examples")
        if known is not None and named.keys() - known.keys():
            known.update(named)
            there["description"] += "".join(f", `{code}`" for code in named)
    call["responses"] = dict(sorted(call["responses"].items()))


def _add_example(call: dict[str, Any]) -> None:
    given = example_of(call["operationId"])
    values = {**given.get("path", {}), **given.get("query", {}), **given.get("headers", {})}
    for parameter in call.get("parameters", ()):
        if parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
    for media_type in BODY if "body" in given else ():
        if media_type in call["requestBody"]["content"]:
            call["requestBody"]["content"][media_type]["example"] = given["body"]
    if "response" in given and given["status"] < 300:
        call["responses"][str(given["status"])]["content"]["application/json"]["example"] = given["response"]

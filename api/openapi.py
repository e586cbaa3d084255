"""The API's description: FastAPI's own, plus the models that routes read or answer by hand."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.problems import ProblemDetails, responses
from fgfi_core.spec import JobSpec

DESCRIPTION = """Distils object detectors by fine-grained feature imitation: upload a data set, post a job, follow it,
download a small detector that was measured again after its export. Errors are `application/problem+json`."""


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
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}}
        document["security"] = [{"key": []}]
        app.openapi_schema = document
    return app.openapi_schema


def _say_what_422_is(document: dict[str, Any]) -> None:
    """FastAPI describes wrong fields in a form of its own, which this service never answers."""
    for call in (call for methods in document["paths"].values() for call in methods.values()):
        if "422" in call["responses"]:
            call["responses"]["422"] = responses(422)[422]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)

"""Reading a job spec from a request's body: JSON, or the YAML that people write their files in."""

import json
from email.message import Message
from typing import Annotated, Any

import yaml
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.problems import FieldError, Problem
from fgfi_core.spec import JobSpec

YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
SCHEMA = {"$ref": "#/components/schemas/JobSpec"}
OPENAPI = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": SCHEMA}, "application/yaml": {"schema": SCHEMA}},
    }
}


class _PlainYaml(yaml.SafeLoader):
    """YAML without aliases: a few lines of nested ones unfold to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not taken")
        return super().compose_node(parent, index)


async def read_spec(request: Request) -> JobSpec:
    """The spec in the body. Raises RequestValidationError for wrong fields, Problem for what is no spec at all."""
    content = await request.body()
    if not content.strip():
        raise Problem(422, "invalid", "The body is empty: send a job spec as JSON or YAML.")
    body = parse(_media_type(request), content)
    if not isinstance(body, dict):
        raise Problem(422, "invalid", "The body is no job spec: it must be one object with fields such as `teacher`.")
    try:
        # As JSON, not as Python: only there does a list become the spec's tuple.
        return JobSpec.model_validate_json(json.dumps(body, default=str))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False), body=body) from error


SpecDep = Annotated[JobSpec, Depends(read_spec)]


def _media_type(request: Request) -> str:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "application/json")
    return header.get_content_type()


def parse(media_type: str, body: bytes) -> Any:
    """What a body says, not yet checked. Raises Problem 422, with the line that is no YAML, and 415."""
    try:
        if media_type in YAML_TYPES:
            return yaml.load(body, Loader=_PlainYaml)  # noqa: S506 - a SafeLoader, only stricter
        if media_type == "application/json" or media_type.endswith("+json"):
            return json.loads(body)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        raise _unreadable("YAML", f"line {mark.line + 1}: {problem}" if mark and problem else str(error)) from error
    except ValueError as error:
        raise _unreadable("JSON", str(error)) from error
    detail = f"A job spec is sent as application/json or application/yaml, not as {media_type}."
    raise Problem(415, "unsupported_media_type", detail)


def _unreadable(language: str, reason: str) -> Problem:
    detail = f"The body is not {language}: {reason}"
    return Problem(422, "invalid", detail, errors=(FieldError(path="", message=detail),))

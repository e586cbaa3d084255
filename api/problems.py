"""Every error the API gives: RFC 9457 problem details with a stable `code` and, field by field, what to do.

A browser that asks for a page gets the same as a page, which the dashboard draws.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.calls import allowed
from api.error_codes import ADDRESS, CODES, OF_STATUS
from api.invalid import explain

MEDIA_TYPE = "application/problem+json"

# Of errors that the framework raises by their status alone.
CODE_OF_STATUS = {
    400: "bad_request",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "invalid",
    429: "too_many_requests",
    503: "unavailable",
}

DETAILS = {
    404: "There is nothing at {path}.",
    405: "{method} is not possible on {path}; the Allow header says what is.",
    413: "The request's body is larger than this call takes.",
}


class FieldError(BaseModel):
    """One field that is wrong: where it stands in the body, what is wrong, what to do."""

    path: str
    message: str
    hint: str = ""


class ProblemDetails(BaseModel):
    """What an error's body looks like (RFC 9457). `type` leads to the code's cause and cure."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    errors: list[FieldError] = []
    request_id: str | None = None


class Problem(Exception):
    """An error with its HTTP status: raised anywhere in `api`, answered as problem+json."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        hint: str = "",
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.hint = status, code, detail, hint
        self.errors, self.headers = errors, headers


DrawPage = Callable[[Problem, str | None], Response]
"""Draws a problem as a page; the text is the request's id. `app.state.problem_page` holds it."""


def describe(problem: Problem, request_id: str | None = None) -> ProblemDetails:
    """The problem as data."""
    return ProblemDetails(
        type=ADDRESS + problem.code,
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        hint=problem.hint or None,
        errors=list(problem.errors),
        request_id=request_id,
    )


def respond(problem: Problem, request_id: str | None = None) -> JSONResponse:
    """The problem as a response."""
    content = describe(problem, request_id).model_dump(exclude_none=True)
    return JSONResponse(content, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def answer(request: Request, problem: Problem) -> Response:
    """The problem as the caller can read it: a page where a browser asked for one, else as `respond` has it."""
    request_id: str | None = request.scope.get("fgfi.request_id")
    is_page = not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")
    draw: DrawPage | None = getattr(request.app.state, "problem_page", None)
    return draw(problem, request_id) if is_page and draw else respond(problem, request_id)


def internal_error(request_id: str | None) -> JSONResponse:
    """The 500 that says nothing of the inside; the log has the trace under the same request id."""
    detail = "Something went wrong on the server. Its log has the reason under this request id."
    return respond(Problem(500, "internal_error", detail), request_id)


def install(app: FastAPI) -> None:
    """Answer every error of the application as problem+json."""
    app.exception_handler(Problem)(_on_problem)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_invalid)


def _on_problem(request: Request, error: Problem) -> Response:
    return answer(request, error)


def _on_http_exception(request: Request, error: HTTPException) -> Response:
    status = error.status_code
    if status == 400 and error.__cause__ is not None:  # How FastAPI tells that it could not even decode a body.
        return answer(request, Problem(422, "invalid", "The body is not JSON in UTF-8, or is nested too deeply."))
    detail = DETAILS.get(status, "{detail}").format(method=request.method, path=request.url.path, detail=error.detail)
    headers = {"allow": ", ".join(allowed(request))} if status == 405 else error.headers
    return answer(request, Problem(status, CODE_OF_STATUS.get(status, "bad_request"), detail, headers=headers))


def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    problem = invalid(error)
    structlog.get_logger().info("invalid_request", fields=[one.path for one in problem.errors])
    return answer(request, problem)


def invalid(error: RequestValidationError) -> Problem:
    """Wrong fields as a problem."""
    found = [FieldError(path=e.path, message=e.message, hint=e.hint) for e in explain(error.errors(), error.body)]
    detail = "; ".join(f"{e.path}: {e.message}" if e.path else e.message for e in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return Problem(422, "invalid", f"{detail}{more}", errors=tuple(found))


def responses(*wanted: int | str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems a route may answer: statuses with their usual codes, and codes by name."""
    codes: dict[int, list[str]] = {}
    for one in wanted:
        if isinstance(one, int):
            codes.setdefault(one, []).extend(OF_STATUS[one])
        else:
            codes.setdefault(CODES[one].status, []).append(one)
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in named)}",
            "content": {
                MEDIA_TYPE: {
                    "schema": schema,
                    "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in named},
                }
            },
        }
        for status, named in sorted(codes.items())
    }


def example(code: str) -> dict[str, Any]:
    """A code's example for OpenAPI."""
    meaning = CODES[code]
    problem = Problem(meaning.status, code, meaning.cause, hint=meaning.cure)
    return {"summary": meaning.cause, "value": json.loads(bytes(respond(problem, "5f1c9a7e22b04d31").body))}

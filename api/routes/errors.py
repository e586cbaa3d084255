"""/v1/errors: what each code means. A problem's `type` leads here; nobody needs a key to read it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api.error_codes import ADDRESS, CODES
from api.problems import Problem, responses

router = APIRouter(prefix="/v1/errors", tags=["errors"])

OPEN: dict[str, Any] = {"security": []}


class ErrorOut(BaseModel):
    """A code: the status of the answers that have it, what causes it, and its cure."""

    type: str
    code: str
    status: int
    cause: str
    cure: str

    @classmethod
    def of(cls, code: str) -> "ErrorOut":
        """From the list of codes."""
        meaning = CODES[code]
        return cls(type=ADDRESS + code, code=code, status=meaning.status, cause=meaning.cause, cure=meaning.cure)


class ErrorsOut(BaseModel):
    """Every code, by status."""

    data: list[ErrorOut]


@router.get("", response_model=ErrorsOut, openapi_extra=OPEN)
async def list_errors() -> ErrorsOut:
    """Every `code` that a problem can have, with its cause and its cure."""
    return ErrorsOut(data=[ErrorOut.of(code) for code in CODES])


@router.get("/{code}", response_model=ErrorOut, responses=responses(404), openapi_extra=OPEN)
async def get_error(code: Annotated[str, Path(examples=["wrong_state"])]) -> ErrorOut:
    """One code; where the `type` of a problem leads."""
    if code not in CODES:
        raise Problem(404, "not_found", "There is no such code.", hint="GET /v1/errors lists all.")
    return ErrorOut.of(code)

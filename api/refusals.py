"""The one place where what the store refuses becomes an HTTP status."""

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response

from api.problems import Problem, answer
from store import errors
from store.database import AWAY, UNKEPT
from store.objects.errors import StorageAway, StorageFull, StorageRefused
from store.safetensors_header import BadModelFile, NotSafetensors

log = structlog.get_logger("api.refusals")

STATUS: dict[type[errors.StoreError], int] = {
    errors.NotFound: 404,
    errors.WrongState: 409,
    errors.DatasetNotReady: 409,
    errors.NoSuchSplit: 422,
    errors.ModelNotReady: 409,
    errors.ModelInUse: 409,
    errors.ModelMismatch: 422,
    errors.NoWeights: 409,
    NotSafetensors: 415,
    BadModelFile: 422,
    errors.IdempotencyMismatch: 422,
    errors.IdempotencyInFlight: 409,
    errors.BadCursor: 422,
    errors.ObjectMissing: 410,
    errors.TooLarge: 413,
    errors.QuotaExceeded: 403,
    errors.TooManyJobs: 409,
    errors.DeviceHoursSpent: 403,
    errors.NameTaken: 409,
    errors.ScopeNotHeld: 403,
    errors.NoParts: 409,
    errors.PartRefused: 422,
    errors.UploadIncomplete: 422,
    errors.ContentMismatch: 422,
    errors.TooManyWebhooks: 409,
    errors.AddressRefused: 422,
    StorageAway: 503,
    StorageRefused: 503,
    StorageFull: 507,
}


def install(app: FastAPI) -> None:
    """Answer the store's refusals, and a database that is away, as problem+json."""
    app.exception_handler(errors.StoreError)(_on_refusal)
    app.add_exception_handler(UNKEPT, _on_unkept)
    for kind in AWAY:
        app.add_exception_handler(kind, _on_database_away)


def problem_of(error: errors.StoreError) -> Problem:
    """The refusal as a problem. What is not listed is a fault of ours, not of the caller."""
    detail = f"{error.message[:1].upper()}{error.message[1:]}."
    return Problem(STATUS.get(type(error), 500), error.code, detail, hint=error.hint)


def unkept() -> Problem:
    """A value that the database cannot hold, whichever field it came by."""
    hint = "Leave NUL characters (\\u0000, %00) out of texts."
    return Problem(422, "invalid", "A value in this request can be neither kept nor looked for.", hint=hint)


def _on_unkept(request: Request, error: Exception) -> Response:
    # With a state the server itself refused it, which may be a fault of ours; never the value.
    log.warning("value_unkept", sqlstate=getattr(getattr(error, "orig", None), "sqlstate", None))
    if "\0" in request.url.path or "%00" in request.url.path:  # An id that nothing can have.
        return answer(request, Problem(404, "not_found", "There is nothing of this id."))
    return answer(request, unkept())


def _on_refusal(request: Request, error: errors.StoreError) -> Response:
    return answer(request, problem_of(error))


def _on_database_away(request: Request, _error: Exception) -> Response:
    problem = Problem(
        503, "database_unavailable", "The database does not answer; nothing was changed.", headers={"Retry-After": "5"}
    )
    return answer(request, problem)

"""/v1/groups: comparisons of several jobs, made, read, cancelled and deleted as one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.orm import Session

from api import etag, group_summary
from api import job_creation as creation
from api.deps import Reader, SessionDep, SettingsDep, Submitter
from api.job_creation import KeyHeader
from api.problems import FieldError, Problem, invalid, responses
from api.schemas.groups import GroupIn, GroupOut, GroupSummary, VariantIn
from api.schemas.page import PageOut
from store import groups, jobs
from store.groups import Arm, NewGroup
from store.queues import Placing
from store.settings import Settings

router = APIRouter(prefix="/v1/groups", tags=["groups"])

MOST_NAME = 200


@router.post(
    "",
    status_code=201,
    response_model=GroupOut,
    responses=responses(401, 403, 404, 413, 422, "same_label", *creation.REFUSED),
)
def create_group(
    principal: Submitter,
    asked: GroupIn,
    session: SessionDep,
    settings: SettingsDep,
    response: Response,
    idempotency_key: KeyHeader = None,
) -> GroupOut:
    """Queue a job for each variant of a base spec, all of them or none.

    With an `Idempotency-Key` a repeated request answers the group that the first one made.
    """
    once = creation.once_of(idempotency_key, {"group": asked.model_dump(mode="json")}, settings)
    group = groups.made_before(session, principal.project_id, once) if once else None
    if group is not None:
        response.headers["idempotency-replayed"] = "true"
    else:
        new = NewGroup(asked.name, asked.base, _arms(session, principal.project_id, asked, settings))
        group = groups.create(session, principal.project_id, new, once)
    response.headers["location"] = f"/v1/groups/{group.id}"
    return group_summary.whole(session, group)


@router.get("", response_model=PageOut[GroupSummary], responses=responses(401, 403, 422, "bad_cursor"))
def list_groups(
    principal: Reader,
    session: SessionDep,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PageOut[GroupSummary]:
    """Groups, newest first."""
    page = groups.list_page(session, principal.project_id, cursor=cursor, limit=limit)
    states = groups.states_of(session, [row.id for row in page.rows])
    return PageOut(
        data=[group_summary.brief(row, states[row.id]) for row in page.rows],
        has_more=page.has_more,
        next_cursor=page.next_cursor,
    )


@router.get("/{group_id}", response_model=GroupOut, responses=responses(401, 403, 404) | etag.UNCHANGED)
def get_group(group_id: str, principal: Reader, session: SessionDep, request: Request) -> Response:
    """How every arm stands. Send the `ETag` back as `If-None-Match` and get 304 while nothing has changed."""
    return etag.answer(request, group_summary.whole(session, groups.get(session, principal.project_id, group_id)))


@router.post("/{group_id}/cancel", response_model=GroupOut, responses=responses(401, 403, 404))
def cancel_group(group_id: str, principal: Submitter, session: SessionDep) -> GroupOut:
    """Cancel every job of the group that is not over; repeating is fine."""
    return group_summary.whole(session, groups.cancel(session, principal.project_id, group_id))


@router.delete("/{group_id}", status_code=204, responses=responses(401, 403, 404, "wrong_state"))
def delete_group(group_id: str, principal: Submitter, session: SessionDep) -> None:
    """Delete a group with its jobs and their files, once all have ended."""
    groups.delete(session, principal.project_id, group_id)


def _arms(session: Session, project_id: str, asked: GroupIn, settings: Settings) -> list[Arm]:
    """Each variant as a job that can be. Raises Problem, which says of which variant."""
    base = asked.base.model_dump(mode="json")
    labels = _labels(asked.variants)
    arms: list[Arm] = []
    for number, (variant, label) in enumerate(zip(asked.variants, labels, strict=True)):
        name = {"name": f"{asked.name}: {label}"[:MOST_NAME]}
        try:
            spec = creation.changed(base, {**name, **variant.changes})
            placing = Placing(creation.queue_for(spec, asked.device_class, settings), asked.priority)
            creation.checked(spec, lambda spec=spec: jobs.prepare(session, project_id, spec))  # type: ignore[misc]
        except RequestValidationError as error:
            raise _of_variant(number, label, invalid(error)) from error
        except Problem as error:
            raise _of_variant(number, label, error) from error
        arms.append(Arm(label, variant.changes, spec, placing))
    return arms


def _of_variant(number: int, label: str, problem: Problem) -> Problem:
    """The same, told of the variant that has it."""
    errors = tuple(
        FieldError(path=f"variants[{number}].{one.path}", message=one.message, hint=one.hint) for one in problem.errors
    )
    detail = f"Variant '{label}': {problem.detail}"
    return Problem(problem.status, problem.code, detail, hint=problem.hint, errors=errors)


def _labels(variants: Sequence[VariantIn]) -> list[str]:
    """A label for each. Raises Problem for two of a name."""
    labels = [one.label or ", ".join(_changes(one.changes))[:100] or "base" for one in variants]
    for number, label in enumerate(labels):
        if label in labels[:number]:
            message = f"variants[{labels.index(label)}] is called '{label}', too"
            hint = "Give one of them another label, or leave it out."
            error = FieldError(path=f"variants[{number}].label", message=message, hint=hint)
            raise Problem(422, "same_label", f"variants[{number}]: {message}.", hint=hint, errors=(error,))
    return labels


def _changes(changes: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """What a patch says, as `method.threshold=0.3`."""
    for name, value in changes.items():
        if isinstance(value, Mapping):
            yield from _changes(value, f"{path}{name}.")
        else:
            yield f"{path}{name}={value}"

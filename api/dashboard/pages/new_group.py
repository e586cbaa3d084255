"""The form of a new group: a base spec as YAML, and a line for each variant."""

import json
from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Form, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from api import spec_body
from api.dashboard.access import Submitting
from api.dashboard.render import page
from api.dashboard.views.new_job import as_new
from api.dashboard.views.variants import VariantMistake, read_variants
from api.deps import SessionDep, SettingsDep
from api.problems import Problem, invalid
from api.refusals import problem_of
from api.routes.groups import create_group
from api.schemas.groups import GroupIn
from fgfi_core.spec import METHODS
from store import jobs
from store.errors import NotFound, StoreError

router = APIRouter(include_in_schema=False, prefix="/groups/new")

OFFERED = 30
MOST_TEXT = 100_000
PRESETS = (
    ("Every method", "\n".join(f"method.name={name}" for name in METHODS)),
    ("Thresholds", "\n".join(f"method.threshold={psi}" for psi in (0.3, 0.5, 0.7))),
    ("Levels", "\n".join(f"method.levels={levels}" for levels in ("joint", "assigned", "separate"))),
    ("Balance", "\n".join(f"method.balance={balance}" for balance in (0.1, 0.3, 1.0))),
)


@router.get("")
def show_form(visitor: Submitting, session: SessionDep, base: Annotated[str, Query(max_length=100)] = "") -> Response:
    """The form, with the spec of a job in it where one was named."""
    text = ""
    if base:
        try:
            text = _yaml(as_new(jobs.get(session, visitor.project_id, base)))
        except NotFound:
            return page("missing.html", 404, what=f"job {base}")
    return _form(session, visitor.project_id, base=text, chosen=base)


@router.post("")
def create(
    visitor: Submitting,
    session: SessionDep,
    settings: SettingsDep,
    name: Annotated[str, Form(max_length=1000)] = "",
    base: Annotated[str, Form(max_length=MOST_TEXT)] = "",
    variants: Annotated[str, Form(max_length=MOST_TEXT)] = "",
) -> Response:
    """Make the group, or show the form again with what is wrong: the text stays as it was written."""
    given = {"name": name, "base": base, "variants": variants}
    try:
        asked = _read(name, base, variants)
        # What the store refuses half-way is undone, although the answer is a page.
        with session.begin_nested():
            group = create_group(visitor, asked, session, settings, Response())
    except VariantMistake as mistake:
        return _form(session, visitor.project_id, status=422, wrong={"variants": str(mistake)}, **given)
    except RequestValidationError as error:
        return _refused(session, visitor.project_id, invalid(error), given)
    except StoreError as error:
        return _refused(session, visitor.project_id, problem_of(error), given)
    except Problem as problem:
        return _refused(session, visitor.project_id, problem, given)
    return RedirectResponse(f"/groups/{group.id}", 303)


def _read(name: str, base: str, variants: str) -> GroupIn:
    """What was filled in. Raises VariantMistake, Problem, RequestValidationError."""
    arms = [one.model_dump(mode="json") for one in read_variants(variants)]
    spec = spec_body.parse("application/yaml", base.encode())
    if not isinstance(spec, dict):
        raise Problem(422, "invalid", "The base is no job spec: it is a file with fields such as teacher and student.")
    body = {"name": name.strip(), "base": {"name": name.strip(), **spec}, "variants": arms}
    try:
        return GroupIn.model_validate_json(json.dumps(body, default=str))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False), body=body) from error


def _refused(session: Session, project_id: str, problem: Problem, given: dict[str, str]) -> Response:
    """The form, each field with its own mistakes."""
    wrong: dict[str, str] = {}
    for one in problem.errors:
        field = one.path.split(".")[0].split("[")[0]
        text = f"{one.path}: {one.message}" + (f" {one.hint}" if one.hint else "")
        wrong[field] = f"{wrong[field]} {text}" if field in wrong else text
    known = {field: text for field, text in wrong.items() if field in given}
    other = "" if known else f"{problem.detail} {problem.hint}".strip()
    return _form(session, project_id, status=422, wrong=known, problem=other, **given)


def _form(
    session: Session,
    project_id: str,
    *,
    status: int = 200,
    name: str = "",
    base: str = "",
    variants: str = "",
    chosen: str = "",
    wrong: dict[str, str] | None = None,
    problem: str = "",
) -> Response:
    offered: list[tuple[str, str]] = [
        (job.id, job.name) for job in jobs.list_page(session, project_id, limit=OFFERED).rows
    ]
    return page(
        "new_group.html",
        status,
        given={"name": name, "base": base, "variants": variants},
        chosen=chosen,
        offered=offered,
        presets=PRESETS,
        wrong=wrong or {},
        problem=problem,
    )


def _yaml(spec: dict[str, Any]) -> str:
    return yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, default_flow_style=None, width=72)

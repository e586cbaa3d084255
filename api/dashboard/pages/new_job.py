"""The form of a new job, and its spec as YAML beside it; checking and creating are the API's own calls."""

import json
from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from sqlalchemy.orm import Session

from api import spec_body
from api.dashboard.access import Resident
from api.dashboard.render import page
from api.dashboard.views.new_job import as_new, dataset_source, fresh, model_source
from api.dashboard.views.spec_form import spec_form
from api.deps import SessionDep
from fgfi_core.spec import DETECTORS
from store import datasets, jobs, models
from store.errors import NotFound
from store.tables import Dataset

router = APIRouter(include_in_schema=False, prefix="/jobs/new")

# Who has more of them writes the id into the YAML.
OFFERED = 100
# The pair that trains on a laptop while one watches.
BEGINNERS = ("ssd-shufflenetv2-1x", "ssd-shufflenetv2-0.25x")
Identity = Annotated[str, Query(max_length=100)]


@router.get("")
def show_form(
    resident: Resident,
    session: SessionDep,
    clone: Identity = "",
    dataset: Identity = "",
    teacher: Identity = "",
    student: Identity = "",
) -> Response:
    """The form: empty, or with what a data set, a model or another job puts into it."""
    project_id = resident.project_id
    try:
        original = jobs.get(session, project_id, clone) if clone else None
        chosen = datasets.get(session, project_id, dataset) if dataset else None
    except NotFound as error:
        return page("missing.html", 404, what=error.message.removeprefix("there is no "))
    ready = datasets.list_page(session, project_id, states=["ready"], limit=OFFERED).rows
    known = models.list_page(session, project_id, states=["ready"], limit=OFFERED).rows
    if chosen is None and original is None and len(ready) == 1:
        chosen = ready[0]
    spec = as_new(original) if original else fresh(chosen, teacher, student, BEGINNERS)
    return page(
        "new_job.html",
        form=spec_form(),
        spec=json.dumps(spec),
        original=original,
        datasets=[dataset_source(row) for row in _with(ready, chosen)],
        models=[model_source(row) for row in known],
        detectors=tuple(DETECTORS.values()),
        is_first=not ready,
        nothing_checked=_nothing(session, project_id),
    )


@router.post("/yaml")
def as_yaml(resident: Resident, spec: Annotated[dict[str, Any], Body()]) -> Response:
    """A spec as the YAML that people write their files in."""
    del resident
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, default_flow_style=None, width=72)
    return PlainTextResponse(text, media_type="application/yaml")


@router.post("/spec")
async def as_spec(resident: Resident, request: Request) -> Response:
    """YAML as a spec, not yet checked. Raises Problem 422, which names the line that is no YAML."""
    del resident
    body = spec_body.parse("application/yaml", await request.body())
    return JSONResponse(json.loads(json.dumps(body, default=str)) if isinstance(body, dict) else None)


def _with(rows: Any, chosen: Dataset | None) -> list[Dataset]:
    known = list(rows)
    return known if chosen is None or chosen in known else [chosen, *known]


def _nothing(session: Session, project_id: str) -> bool:
    return not datasets.list_page(session, project_id, limit=1).rows

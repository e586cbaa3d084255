"""Models: the list with its registration, one with what its check found, deleting."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.dashboard.access import Resident, Submitting
from api.dashboard.render import page
from api.dashboard.views.models import ModelList, inspection, model_list
from api.deps import SessionDep, SettingsDep
from fgfi_core.spec import DETECTORS
from store import models
from store.errors import NotFound
from store.tables import Model

router = APIRouter(include_in_schema=False, prefix="/models")

PAGE_ROWS = 50
Cursor = Annotated[str, Query(max_length=400)]


@router.get("")
def show_models(resident: Resident, session: SessionDep, settings: SettingsDep, cursor: Cursor = "") -> Response:
    """The models, and the form that registers one."""
    view = _list(session, resident.project_id, cursor)
    return page("models.html", view=view, detectors=tuple(DETECTORS.values()), largest=settings.max_model_bytes)


@router.get("/list")
def renew_models(resident: Resident, session: SessionDep, cursor: Cursor = "") -> Response:
    """The list alone."""
    return page("models/list.html", view=_list(session, resident.project_id, cursor))


@router.get("/{model_id}")
def show_model(model_id: str, resident: Resident, session: SessionDep) -> Response:
    """One model."""
    try:
        row = models.get(session, resident.project_id, model_id)
    except NotFound:
        return page("missing.html", 404, what=f"model {model_id}", here="models")
    return page("model.html", **_whole(row))


@router.get("/{model_id}/whole")
def renew_model(model_id: str, resident: Resident, session: SessionDep) -> Response:
    """All of one model but the frame."""
    return page("models/whole.html", **_whole(models.get(session, resident.project_id, model_id)))


@router.post("/{model_id}/delete")
def delete(model_id: str, resident: Submitting, session: SessionDep) -> Response:
    """Delete a model. Raises ModelInUse while a job that begins with it is still to run."""
    models.delete(session, resident.project_id, model_id)
    return RedirectResponse("/models", 303)


def _list(session: Session, project_id: str, cursor: str) -> ModelList:
    return model_list(models.list_page(session, project_id, cursor=cursor or None, limit=PAGE_ROWS), cursor)


def _whole(row: Model) -> dict[str, Any]:
    return {"row": row, "found": inspection(row.report), "info": DETECTORS.get(row.detector)}

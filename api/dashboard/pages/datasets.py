"""Data sets: the list with its uploads, one with the report of its check, deleting."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.dashboard.access import Resident, Submitting
from api.dashboard.render import page
from api.dashboard.views.datasets import dataset_list, report
from api.dashboard.views.thumbnails import pictures
from api.deps import SessionDep, SettingsDep
from store import datasets, thumbnails
from store.errors import NotFound
from store.tables import Dataset

router = APIRouter(include_in_schema=False, prefix="/datasets")

PAGE_ROWS = 50
Cursor = Annotated[str, Query(max_length=400)]


@router.get("")
def show_datasets(resident: Resident, session: SessionDep, settings: SettingsDep, cursor: Cursor = "") -> Response:
    """The data sets, and the form that uploads one."""
    return page(
        "datasets.html",
        view=dataset_list(_page(session, resident.project_id, cursor), cursor),
        public_url=settings.public_url.rstrip("/"),
        largest=settings.max_upload_bytes,
    )


@router.get("/list")
def renew_datasets(resident: Resident, session: SessionDep, cursor: Cursor = "") -> Response:
    """The list alone."""
    return page("datasets/list.html", view=dataset_list(_page(session, resident.project_id, cursor), cursor))


@router.get("/{dataset_id}")
def show_dataset(dataset_id: str, resident: Resident, session: SessionDep) -> Response:
    """One data set."""
    try:
        row = datasets.get(session, resident.project_id, dataset_id)
    except NotFound:
        return page("missing.html", 404, what=f"data set {dataset_id}", here="datasets")
    return page("dataset.html", **_whole(session, row))


@router.get("/{dataset_id}/whole")
def renew_dataset(dataset_id: str, resident: Resident, session: SessionDep) -> Response:
    """All of one data set but the frame."""
    return page("datasets/whole.html", **_whole(session, datasets.get(session, resident.project_id, dataset_id)))


@router.post("/{dataset_id}/delete")
def delete(dataset_id: str, resident: Submitting, session: SessionDep) -> Response:
    """Delete a data set."""
    datasets.delete(session, resident.project_id, dataset_id)
    return RedirectResponse("/datasets", 303)


def _page(session: Session, project_id: str, cursor: str) -> Any:
    return datasets.list_page(session, project_id, cursor=cursor or None, limit=PAGE_ROWS)


def _whole(session: Session, row: Dataset) -> dict[str, Any]:
    revisions = datasets.revisions(session, row.project_id, row.name)
    small = thumbnails.list_all(session, row.project_id, row.id)
    return {"row": row, "report": report(row.report), "pictures": pictures(small), "revisions": revisions}

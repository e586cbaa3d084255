"""/v1/projects: the operator makes projects, sets their limits and gives them their first key; others see their own."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from api.deps import Admin, Operator, Reader, SessionDep, SettingsDep, require_scope
from api.problems import responses
from api.routes.keys import shown_once
from api.schemas.keys import KeyIn, NewKeyOut
from api.schemas.projects import ProjectChanges, ProjectIn, ProjectOut, ProjectsOut
from store import keys, limits, projects
from store.errors import NotFound
from store.limits import Limits
from store.principal import Principal
from store.tables import Project

router = APIRouter(prefix="/v1/projects", tags=["projects"])


@router.post("", status_code=201, response_model=ProjectOut, responses=responses(401, 403, 422, "name_taken"))
def create_project(body: ProjectIn, principal: Operator, session: SessionDep, response: Response) -> ProjectOut:
    """Make a project. It has no key yet: `POST /v1/projects/{id}/keys` makes the first."""
    del principal
    row = projects.create(session, body.name, Limits(**body.limits.model_dump()))
    response.headers["location"] = f"/v1/projects/{row.id}"
    return _shown(session, row)


@router.get("", response_model=ProjectsOut, responses=responses(401, 403))
def list_projects(principal: Reader, session: SessionDep) -> ProjectsOut:
    """The key's own project; for an operator, all."""
    if principal.may("operator"):
        return ProjectsOut(data=[_shown(session, row) for row in projects.list_all(session)])
    return ProjectsOut(data=[_shown(session, projects.get(session, principal.project_id))])


@router.get("/{project_id}", response_model=ProjectOut, responses=responses(401, 403, 404))
def get_project(project_id: str, principal: Reader, session: SessionDep) -> ProjectOut:
    """One project and the limits that hold for it."""
    return _shown(session, _visible(session, principal, project_id))


@router.patch("/{project_id}", response_model=ProjectOut, responses=responses(401, 403, 404, 422, "name_taken"))
def update_project(
    project_id: str, body: ProjectChanges, principal: Admin, session: SessionDep, settings: SettingsDep
) -> ProjectOut:
    """Rename a project; an operator may change its limits, too, and names that the login provider leads to."""
    row = _visible(session, principal, project_id)
    # Who comes in by the provider lands in the project of such a name: it must not become another's.
    if body.name not in {None, row.name} and {body.name, row.name} & {one.project for one in settings.oidc_access}:
        require_scope(principal, "operator")
    changes: dict[str, Any] = body.model_dump(exclude_unset=True, exclude_none=True, include={"name"})
    if body.limits is not None:
        require_scope(principal, "operator")
        changes |= body.limits.model_dump(exclude_unset=True)
    return _shown(session, projects.update(session, project_id, changes))


@router.post("/{project_id}/keys", status_code=201, response_model=NewKeyOut, responses=responses(401, 403, 404, 422))
def create_project_key(
    project_id: str, key: KeyIn, principal: Operator, session: SessionDep, settings: SettingsDep
) -> NewKeyOut:
    """Make a key of any project: its first, or a new one when the last was lost. Its token is shown here alone."""
    _visible(session, principal, project_id)
    new = keys.create(session, project_id, key.name, key.scopes, settings.secret_key, expires_at=key.expires_at)
    return shown_once(new)


def _visible(session: Session, principal: Principal, project_id: str) -> Project:
    """The project, if the principal may know of it. Raises NotFound."""
    if project_id != principal.project_id and not principal.may("operator"):
        raise NotFound(f"there is no project '{project_id}'")
    return projects.get(session, project_id)


def _shown(session: Session, row: Project) -> ProjectOut:
    return ProjectOut.of(row, limits.of_project(session, row.id))

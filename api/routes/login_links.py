"""/v1/login-links: a link that opens the dashboard once."""

from datetime import timedelta

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import Admin, SessionDep, SettingsDep
from api.problems import responses
from store import logins

router = APIRouter(prefix="/v1/login-links", tags=["keys"])


class LoginLinkOut(BaseModel):
    """A link for a browser; it works once, and only for a while."""

    url: str
    valid_minutes: float


@router.post("", status_code=201, response_model=LoginLinkOut, responses=responses(401, 403))
def create_login_link(principal: Admin, session: SessionDep, settings: SettingsDep) -> LoginLinkOut:
    """Make a one-time link to the dashboard."""
    valid = timedelta(minutes=settings.login_link_minutes)
    token = logins.create_link(session, principal, settings.secret_key, valid)
    return LoginLinkOut(
        url=f"{settings.public_url.rstrip('/')}/login?token={token}", valid_minutes=settings.login_link_minutes
    )

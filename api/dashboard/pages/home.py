"""The front door."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

router = APIRouter(include_in_schema=False)


@router.get("/")
def home() -> Response:
    """The jobs are the home page."""
    return RedirectResponse("/jobs", 303)

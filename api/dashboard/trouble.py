"""The page that stands where no other can: unknown addresses, refused actions, a database that is away."""

from http import HTTPStatus

from fastapi.responses import Response

from api.dashboard.render import page
from api.problems import Problem


def problem_page(problem: Problem, request_id: str | None) -> Response:
    """A problem for people: what is wrong, what to do, and the id under which the log has it."""
    headers = dict(problem.headers or {})
    title = HTTPStatus(problem.status).phrase
    return page("problem.html", problem.status, headers, title=title, problem=problem, request_id=request_id)

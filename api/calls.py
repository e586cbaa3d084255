"""The application's calls, one by one: FastAPI keeps those of an included router behind it."""

from collections.abc import Iterator

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Match


def calls(app: FastAPI) -> Iterator[APIRoute]:
    """Every route of the API and of the dashboard."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            yield context.original_route


def allowed(request: Request) -> list[str]:
    """Every method that the request's path takes; a route knows only its own."""
    there = [route for route in calls(request.app) if route.matches(request.scope)[0] is not Match.NONE]
    # Of `/v1/jobs/bulk`, not of the job that could be called `bulk`.
    named = [route for route in there if route.path == request.url.path]
    return sorted(set[str]().union(*(route.methods or () for route in named or there)))

"""Counters of the API for Prometheus. Labels are routes, never ids: their number stays bounded."""

from prometheus_client import Histogram
from starlette.types import Scope

REQUESTS = Histogram(
    "fgfi_http_request_seconds",
    "Duration of HTTP requests until their answer was sent",
    ("method", "route", "status"),
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)


def observe(scope: Scope, status: int, seconds: float) -> None:
    """Count one request."""
    route = getattr(scope.get("route"), "path", "unknown")
    REQUESTS.labels(scope["method"], route, status).observe(seconds)

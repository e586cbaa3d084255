"""/healthz, /readyz and /metrics: for whoever runs the service."""

from collections.abc import Callable
from typing import Any

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api import vitals
from api.deps import ServiceDep
from api.service import Service
from store.vitals import Vitals
from store.vitals import vitals as read_vitals

log = structlog.get_logger("api.health")
router = APIRouter(tags=["health"])

BROKER_SECONDS = 2.0
OPEN: dict[str, Any] = {"security": []}


class Health(BaseModel):
    """The process lives."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether the service can do its work, and which of its parts answer."""

    ready: bool
    parts: dict[str, bool]


@router.get("/healthz", openapi_extra=OPEN)
def healthz() -> Health:
    """Whether the process lives; asks nobody."""
    return Health()


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}}, openapi_extra=OPEN)
def readyz(service: ServiceDep, response: Response) -> Readiness:
    """Whether database, broker and object store answer."""
    parts = _parts(service)
    response.status_code = 200 if all(parts.values()) else 503
    return Readiness(ready=all(parts.values()), parts=parts)


@router.get("/metrics", include_in_schema=False)
def metrics(service: ServiceDep) -> Response:
    """Prometheus' text format: requests and their durations, which parts answer, queues, losses, messages."""
    signs = vitals.text(_parts(service), lambda: _vitals(service))
    return Response(generate_latest() + signs, media_type=CONTENT_TYPE_LATEST)


def _vitals(service: Service) -> Vitals:
    with service.sessions.begin() as session:
        return read_vitals(session)


def _parts(service: Service) -> dict[str, bool]:
    checks: dict[str, Callable[[Service], object]] = {"database": _database, "broker": _broker, "store": _store}
    return {name: _answers(name, check, service) for name, check in checks.items()}


def _answers(name: str, check: Callable[[Service], object], service: Service) -> bool:
    try:
        check(service)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the answer is: not ready
        # The kind of error only: its text may hold an address with a password.
        log.warning("not_ready", part=name, reason=type(error).__name__)
        return False
    return True


def _database(service: Service) -> None:
    with service.engine.connect():
        pass  # The pool asks the server before it hands a connection out.


def _broker(service: Service) -> None:
    from redis import Redis  # noqa: PLC0415 - a fifth of the time the process takes to start

    # Celery and redis-py spell a socket's address differently.
    url = service.settings.redis_url.replace("redis+socket://", "unix://", 1)
    with Redis.from_url(url, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS) as broker:
        broker.ping()


def _store(service: Service) -> None:
    service.objects.ready()

"""The application: `uvicorn --factory api.main:create_app`. Starts in about a second; torch is never imported."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from api import dashboard, logs, openapi, problems, refusals
from api.body_limit import BodyLimit
from api.compression import Compression
from api.deprecation import TellEndings
from api.live import Live
from api.middleware import HostAllowList, RequestContext
from api.oidc import Provider
from api.rate_limits import RateLimits
from api.routes import (
    artifacts,
    audit,
    browser_sessions,
    bulk_jobs,
    catalogue,
    dataset_exports,
    dataset_views,
    datasets,
    errors,
    evaluations,
    groups,
    health,
    job_actions,
    job_files,
    job_history,
    jobs,
    keys,
    login_links,
    models,
    projects,
    uploads,
    usage,
    webhooks,
    workers,
)
from api.service import Service
from api.shutdown import on_stop
from store import limits
from store.database import make_engine, make_sessions
from store.limits import Limits
from store.objects import open_store
from store.settings import Settings, get_settings

VERSION = "1"
UPLOADS = frozenset({("POST", "/v1/datasets"), ("PUT", "/v1/uploads/*/parts/*"), ("POST", "/v1/models")})
RESOURCES = (
    datasets,
    dataset_views,
    dataset_exports,
    uploads,
    models,
    jobs,
    bulk_jobs,
    evaluations,
    groups,
    job_actions,
    job_files,
    job_history,
    artifacts,
    catalogue,
    projects,
    keys,
    login_links,
    browser_sessions,
    usage,
    webhooks,
    workers,
    audit,
    errors,
    health,
)
# Requests run in threads; each needs a connection for a few milliseconds.
CONNECTIONS = 10


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Without settings they come from the environment; nothing is connected yet."""
    settings = settings or get_settings()
    logs.configure("console" if settings.environment == "development" else "json")
    app = FastAPI(
        title="fgfi",
        version=VERSION,
        lifespan=_lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # The built-in pages load scripts from elsewhere.
        redoc_url=None,
        generate_unique_id_function=openapi.name_of,
    )
    app.state.service = _service(settings)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]  # FastAPI's documented way
    problems.install(app)
    refusals.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router)
    dashboard.install(app)

    # The last one added is the outermost.
    app.add_middleware(TellEndings)
    app.add_middleware(
        BodyLimit, limit=settings.max_request_bytes, upload_limit=settings.max_upload_bytes, uploads=UPLOADS
    )
    app.add_middleware(Compression)
    app.add_middleware(HostAllowList, hosts=settings.allowed_hosts)
    app.add_middleware(RequestContext)
    return app


def _service(settings: Settings) -> Service:
    engine = make_engine(settings, pool_size=CONNECTIONS, application="fgfi-api")
    return Service(
        settings=settings,
        engine=engine,
        sessions=make_sessions(engine, limits.info(Limits.of_settings(settings))),
        objects=open_store(settings.storage_url),
        live=Live(settings),
        rates=RateLimits(settings),
        provider=Provider(settings) if settings.oidc_issuer else None,
    )


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    on_stop(service.live.close)
    listener = asyncio.create_task(service.live.listen())
    try:
        yield
    finally:
        service.live.close()
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener
        service.engine.dispose()

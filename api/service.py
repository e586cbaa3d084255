"""What one API process holds for all its requests: settings, database, objects, live changes, limits of rates."""

from dataclasses import dataclass

from sqlalchemy import Engine

from api.live import Live
from api.oidc import Provider
from api.rate_limits import RateLimits
from store.database import Sessions
from store.objects import ObjectStore
from store.settings import Settings


@dataclass(frozen=True)
class Service:
    """Made once by `create_app`; requests reach it by the dependencies in `api.deps`."""

    settings: Settings
    engine: Engine
    sessions: Sessions
    objects: ObjectStore
    live: Live
    rates: RateLimits
    provider: Provider | None

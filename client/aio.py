"""The service as an object for asyncio: the same methods as `client.sdk.Fgfi`, awaited.

async with AsyncFgfi.connect() as service:
    job = await service.submit({..., "dataset": {"id": dataset.id}})
    async for event in service.follow(job.id):
        print(event.kind, event.data)

Calls run in threads, for what they do (hashing, files, retries) would block a loop anyhow; a stream, of which one holds
many and long, is read by the loop itself.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

import httpx

from client import connection
from client.connection import Connection
from client.exports import Exports
from client.following import Following
from client.groups import Groups
from client.http import STREAM_TIMEOUT, Http, headers_of, refused
from client.keys import Keys
from client.models import StreamEvent
from client.registry import Registry
from client.sdk import Fgfi

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _awaited(call: Callable[_P, _T]) -> Callable[_P, Awaitable[_T]]:
    """The same call in a thread. Cancelling the wait does not stop what was asked already."""

    @wraps(call)
    async def run(*given: _P.args, **named: _P.kwargs) -> _T:
        return await asyncio.to_thread(call, *given, **named)

    return run


class AsyncRegistry:
    """The registered models."""

    def __init__(self, models: Registry) -> None:
        self.list = _awaited(models.list)
        self.get = _awaited(models.get)
        self.add = _awaited(models.add)
        self.from_job = _awaited(models.from_job)
        self.checked = _awaited(models.checked)
        self.delete = _awaited(models.delete)


class AsyncGroups:
    """The groups of jobs."""

    def __init__(self, groups: Groups) -> None:
        self.list = _awaited(groups.list)
        self.get = _awaited(groups.get)
        self.create = _awaited(groups.create)
        self.cancel = _awaited(groups.cancel)
        self.delete = _awaited(groups.delete)


class AsyncKeys:
    """The project's API keys."""

    def __init__(self, keys: Keys) -> None:
        self.list = _awaited(keys.list)
        self.add = _awaited(keys.add)
        self.rotate = _awaited(keys.rotate)
        self.revoke = _awaited(keys.revoke)


class AsyncExports:
    """Data sets in another format, as `Exports` has them."""

    def __init__(self, exports: Exports) -> None:
        self.create = _awaited(exports.create)
        self.list = _awaited(exports.list)
        self.get = _awaited(exports.get)
        self.ready = _awaited(exports.ready)
        self.download = _awaited(exports.download)


class AsyncFgfi:
    """A connection to one service. Everything raises ClientError when the service refuses or cannot be reached."""

    def __init__(self, service: Fgfi, found: Connection, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = service.url
        self._service = service
        self._streams = httpx.AsyncClient(
            base_url=found.url, headers=headers_of(found), timeout=STREAM_TIMEOUT, transport=transport
        )
        self.models = AsyncRegistry(service.models)
        self.groups = AsyncGroups(service.groups)
        self.keys = AsyncKeys(service.keys)
        self.exports = AsyncExports(service.exports)
        self.detectors = _awaited(service.detectors)
        self.datasets = _awaited(service.datasets)
        self.dataset = _awaited(service.dataset)
        self.revisions = _awaited(service.revisions)
        self.thumbnails = _awaited(service.thumbnails)
        self.add_dataset = _awaited(service.add_dataset)
        self.add_source = _awaited(service.add_source)
        self.checked = _awaited(service.checked)
        self.submit = _awaited(service.submit)
        self.submit_all = _awaited(service.submit_all)
        self.dry_run = _awaited(service.dry_run)
        self.evaluate = _awaited(service.evaluate)
        self.evaluations = _awaited(service.evaluations)
        self.evaluation = _awaited(service.evaluation)
        self.jobs = _awaited(service.jobs)
        self.job = _awaited(service.job)
        self.cancel = _awaited(service.cancel)
        self.pause = _awaited(service.pause)
        self.resume = _awaited(service.resume)
        self.retry = _awaited(service.retry)
        self.clone = _awaited(service.clone)
        self.delete = _awaited(service.delete)
        self.latest_metrics = _awaited(service.latest_metrics)
        self.curves = _awaited(service.curves)
        self.login_link = _awaited(service.login_link)
        self.artifacts = _awaited(service.artifacts)
        self.download = _awaited(service.download)

    @classmethod
    def connect(cls, data: Path | None = None) -> Self:
        """Find the service by the environment, or by the data folder of `fgfi up` on this machine."""
        return cls.of(connection.find(data))

    @classmethod
    def of(cls, found: Connection) -> Self:
        """The service at a known address."""
        return cls(Fgfi(Http(found), found.url), found)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._streams.aclose()
        self._service.__exit__(kind, error, trace)

    async def follow(self, job_id: str) -> AsyncIterator[StreamEvent]:
        """The job's events from its first to its end; a stream that breaks off is taken up where it broke."""
        following = Following(self.url, job_id)
        while True:
            reason: httpx.TransportError | None = None
            try:
                async with self._streams.stream("GET", following.path, headers=following.headers()) as response:
                    if not response.is_success:
                        await response.aread()
                        raise refused(response)
                    async for line in response.aiter_lines():
                        if event := following.hear(line):
                            yield event
                if (await self.job(job_id)).over:
                    return
            except httpx.TransportError as error:
                reason = error
            await asyncio.sleep(following.pause(reason))

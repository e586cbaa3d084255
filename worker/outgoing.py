"""Requests that the service sends to addresses of its users' choice: to public ones only, once, and in bounded time.

The address that was looked at is the one that is connected to; TLS is still checked against the name. No redirect is
followed, no proxy is asked, and of the answer nothing but its status is read.
"""

import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import httpcore

from store.public_address import Network, public_addresses


class NoAnswer(Exception):
    """The other side did not answer in time, or not in HTTP."""


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[Network] = (), seconds: float = 10
) -> int:
    """POST a body and return the answer's status. seconds: for all of it, from the first packet to the status.

    Raises NoAnswer; AddressRefused where the name leads to a private address.
    """
    backend = _Backend(allowed, time.monotonic() + seconds)
    pool = httpcore.ConnectionPool(ssl_context=_certificates(), network_backend=backend, keepalive_expiry=0)
    timeouts = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)}
    sent = {"Content-Length": str(len(body)), **headers}
    try:
        with (
            pool,
            pool.stream("POST", url, headers=list(sent.items()), content=body, extensions=timeouts) as answer,
        ):
            return answer.status
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error


class _Backend(httpcore.NetworkBackend):
    """Resolves names by `public_addresses`, connects to what that returned, and keeps to one deadline."""

    def __init__(self, allowed: Sequence[Network], deadline: float) -> None:
        self._allowed, self._deadline = allowed, deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline is the nearer
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the name's addresses that answers."""
        *others, last = public_addresses(host, port, self._allowed)
        for address in others:
            try:
                return self._connect(address, port, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(last, port, local_address, socket_options)

    def _connect(
        self, address: str, port: int, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._plain.connect_tcp(address, port, left, local_address, options), self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection each of whose waits ends at the deadline: one that drips a byte a second ends there, too."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the time for this call is over")
    return left


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()

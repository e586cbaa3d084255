"""One POST to an address of somebody's choice: to public addresses alone, followed nowhere, over within its time."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from store.errors import AddressRefused
from store.public_address import Network, public_addresses
from store.webhook_sending import Outcome

CONNECT_SECONDS = 5.0
# Of a name's addresses: one could have a hundred that do not answer, each for its five seconds.
MOST_ADDRESSES = 3
# What is read of an answer beyond its head: nothing depends on it, and it may never end.
READ_BYTES = 1024


@dataclass(frozen=True)
class Target:
    """Where a URL leads."""

    tls: bool
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """From a URL that was checked when it was taken."""
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(tls, parts.hostname or "", parts.port or (443 if tls else 80), path)

    @property
    def name(self) -> str:
        """The host as a request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[Network], seconds: float = 15.0
) -> Outcome:
    """Send it, and tell what came of it; raises nothing. The whole takes no longer than about `seconds`."""
    began = time.monotonic()
    status, error = None, None
    try:
        status = _send(Target.of(url), body, headers, allowed, seconds)
    except AddressRefused as refused:
        error = refused.message
    except TimeoutError:
        error = f"no answer within {seconds:g} seconds"
    except (OSError, http.client.HTTPException, ValueError) as broken:
        error = str(broken) or type(broken).__name__
    if error is not None and time.monotonic() - began >= seconds:
        error = f"no answer within {seconds:g} seconds"
    milliseconds = round((time.monotonic() - began) * 1000)
    if status is not None and not 200 <= status < 300:
        error = f"answered {status}" + ("; redirects are not followed" if 300 <= status < 400 else "")
    return Outcome(status, milliseconds, error and error[:500])


def _send(target: Target, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network], seconds: float) -> int:
    addresses = public_addresses(target.host, target.port, allowed)
    # To the very address that was checked: the name, asked again, might lead elsewhere.
    connected = _connect(addresses[:MOST_ADDRESSES], target.port)
    # A handle of its own: a secured socket takes the first one over.
    handle = connected.dup()
    over = threading.Event()
    end = threading.Timer(seconds, _cut, [handle, over])
    end.daemon = True
    end.start()
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        connected.settimeout(seconds)
        connection.sock = _secured(connected, target.host) if target.tls else connected
        connection.request("POST", target.path, body, {"host": target.name, **headers})
        response = connection.getresponse()
        if over.is_set():  # It was cut: what ended there is no answer.
            raise TimeoutError
        with contextlib.suppress(OSError, http.client.HTTPException):
            response.read(READ_BYTES)
        return response.status
    finally:
        end.cancel()
        connection.close()
        connected.close()
        handle.close()


def _connect(addresses: Sequence[str], port: int) -> socket.socket:
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, port), CONNECT_SECONDS)
    return socket.create_connection((addresses[-1], port), CONNECT_SECONDS)


def _secured(connected: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(connected, server_hostname=host)


def _cut(connected: socket.socket, over: threading.Event) -> None:
    """End a connection that somebody waits on: a receiver may send a byte a second for ever."""
    over.set()
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)

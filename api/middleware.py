"""What surrounds every request: its id, its log line, the host allow-list, security headers and the last resort 500."""

import re
import secrets
import time
from collections.abc import Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, internal_error, respond
from api.telemetry import observe
from store.audit import Caller, serving

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

# What a caller may hand in as a request id: nothing that could forge a log line.
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Probes and assets come by the thousand and say nothing.
QUIET = ("/static/", "/healthz", "/readyz", "/metrics")

log = structlog.get_logger("api.request")


class RequestContext:
    """Outermost: gives each request an id, times it, adds the headers, and turns an uncaught error into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if ACCEPTED_REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope["fgfi.request_id"] = request_id
        status, began = 0, time.monotonic()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in {**SECURITY_HEADERS, **scope.get("fgfi.headers", {})}.items():
                    headers.setdefault(name, value)
            await send(message)

        peer = scope.get("client")
        caller = Caller(address=peer[0] if peer else None, request_id=request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id), serving(caller):
            try:
                await self.app(scope, receive, send_with_headers)
            except Exception:
                log.exception("uncaught_error", method=scope["method"], path=scope["path"])
                if status:
                    raise  # The answer has begun; closing the connection is the only honest thing left.
                await internal_error(request_id)(scope, receive, send_with_headers)
            finally:
                seconds = time.monotonic() - began
                observe(scope, status, seconds)
                if not scope["path"].startswith(QUIET):
                    # The path without its query: a query may carry a one-time token.
                    took = round(seconds * 1000, 1)
                    log.info("request", method=scope["method"], path=scope["path"], status=status, milliseconds=took)


class HostAllowList:
    """Refuse requests for a host that is not ours: guards a local service against DNS rebinding."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app, self.hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an allowed host on, answer 400 to others."""
        if scope["type"] == "http" and "*" not in self.hosts:
            host = _host(Headers(scope=scope).get("host", ""))
            if host not in self.hosts:
                detail = (
                    "This service does not answer under that host name. The operator lists names in FGFI_ALLOWED_HOSTS."
                )
                problem = Problem(400, "host_not_allowed", detail)
                await respond(problem, scope.get("fgfi.request_id"))(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _host(header: str) -> str:
    """The name without its port: `[::1]:8000` -> `[::1]`."""
    header = header.strip().lower()
    end = header.find("]")
    if header.startswith("[") and end > 0:
        return header[: end + 1]
    return header.partition(":")[0]

"""Requests to the service: retried where that is safe, refused answers turned into one clear error."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from client.connection import Connection
from client.errors import EXIT_NOT_ALLOWED, EXIT_REFUSED, EXIT_UNREACHABLE, ClientError

_ATTEMPTS = 5
# For parts of an upload and what follows them: about half a minute, in which a service is started anew.
_PATIENT_ATTEMPTS = 8
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
# An upload's answer waits for the service to have written everything; a stream is silent between two events.
STREAM_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_TRANSIENT = frozenset({429, 502, 503, 504})


class Http:
    """An authenticated connection to the service."""

    def __init__(
        self,
        connection: Connection,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = connection.url
        self._sleep = sleep
        self._client = httpx.Client(
            base_url=connection.url,
            headers=headers_of(connection),
            timeout=_TIMEOUT,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, params: Mapping[str, str | int | list[str]] | None = None) -> Any:
        """GET, retried; the answer's JSON. Raises ClientError."""
        return self._retried("GET", path, params=dict(params or {})).json()

    def post(self, path: str, body: Any = None, *, idempotency_key: str | None = None) -> Any:
        """POST JSON; retried only with an idempotency key, which makes repeating harmless. Raises ClientError."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        attempts = _ATTEMPTS if idempotency_key else 1
        return self._retried("POST", path, json=body, headers=headers, attempts=attempts).json()

    def post_again(self, path: str, body: Any = None, *, seconds: float = 30.0) -> Any:
        """POST JSON to what may be asked twice; waits so long for each answer. Raises ClientError."""
        timeout = httpx.Timeout(seconds, connect=5.0)
        return self._retried("POST", path, json=body, attempts=_PATIENT_ATTEMPTS, timeout=timeout).json()

    def put(self, path: str, content: bytes, headers: Mapping[str, str]) -> Any:
        """PUT bytes, retried with patience; the answer's JSON. Raises ClientError."""
        arguments: dict[str, Any] = {"content": content, "headers": dict(headers), "timeout": STREAM_TIMEOUT}
        return self._retried("PUT", path, attempts=_PATIENT_ATTEMPTS, **arguments).json()

    def put_elsewhere(self, link: str, content: bytes, headers: Mapping[str, str]) -> int | None:
        """PUT bytes to a signed link, once and without our key; the answer's status, None without an answer."""
        try:
            return httpx.put(link, content=content, headers=dict(headers), timeout=STREAM_TIMEOUT).status_code
        except httpx.TransportError:
            return None

    def upload(
        self, path: str, content: Iterator[bytes], media_type: str, params: Mapping[str, str | list[str]]
    ) -> Any:
        """POST a stream, once: it cannot be read twice. Raises ClientError."""
        headers = {"Content-Type": media_type}
        arguments: dict[str, Any] = {"content": content, "headers": headers, "params": dict(params)}
        return self._retried("POST", path, attempts=1, timeout=STREAM_TIMEOUT, **arguments).json()

    def delete(self, path: str) -> None:
        """DELETE, once: asked again, what is gone already would be an error. Raises ClientError."""
        self._retried("DELETE", path, attempts=1)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
        """GET whose body is read piece by piece. Raises ClientError; httpx.TransportError when it breaks off."""
        with self._client.stream(
            "GET", path, headers=dict(headers or {}), timeout=STREAM_TIMEOUT, follow_redirects=True
        ) as response:
            if not response.is_success:
                response.read()
                raise refused(response)
            yield response

    def _retried(self, method: str, path: str, *, attempts: int = _ATTEMPTS, **arguments: Any) -> httpx.Response:
        pause = _FIRST_PAUSE
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            try:
                response = self._client.request(method, path, **arguments)
            except httpx.TransportError as error:
                if last:
                    raise unreachable(self._url, error) from error
            else:
                if response.is_success:
                    return response
                if last or response.status_code not in _TRANSIENT:
                    raise refused(response)
                pause = max(pause, _asked_pause(response))
            self._sleep(min(pause, _LONGEST_PAUSE))
            pause *= 2
        raise AssertionError("every attempt returns, raises or is followed by another")


def headers_of(connection: Connection) -> dict[str, str]:
    """What every request says."""
    return {"Authorization": f"Bearer {connection.api_key}", "Accept": "application/json"}


def unreachable(url: str, error: httpx.TransportError) -> ClientError:
    """The service did not answer."""
    reason = str(error) or type(error).__name__
    hint = "is it running? `fgfi up` starts one on this machine; FGFI_URL names another"
    return ClientError(f"cannot reach the service at {url}: {reason}", hints=(hint,), exit_code=EXIT_UNREACHABLE)


def refused(response: httpx.Response) -> ClientError:
    """The service said no: its problem document (RFC 9457) as one message and its hints."""
    exit_code = EXIT_NOT_ALLOWED if response.status_code in {401, 403} else EXIT_REFUSED
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return ClientError(f"the service answered {response.status_code} {response.reason_phrase}", exit_code=exit_code)
    message = str(problem.get("detail") or problem.get("title") or f"the service answered {response.status_code}")
    hints = [str(problem["hint"])] if problem.get("hint") else []
    for error in problem.get("errors") or []:
        hints.extend(hint for hint in _field_hints(error, message) if hint not in hints)
    return ClientError(message, hints=tuple(hints), exit_code=exit_code, code=str(problem.get("code", "")))


def _field_hints(error: Mapping[str, Any], said: str) -> Iterator[str]:
    """What a field's entry adds to what was said already."""
    place, message, hint = (str(error.get(name) or "") for name in ("path", "message", "hint"))
    if message.lower() not in said.lower():
        yield f"{place}: {message}" if place else message
    if hint:
        yield hint


def _asked_pause(response: httpx.Response) -> float:
    try:
        return float(response.headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0


def with_query(path: str, **given: str | None) -> str:
    """The path with what is given of a query."""
    query = {name: value for name, value in given.items() if value is not None}
    return f"{path}?{httpx.QueryParams(query)}" if query else path

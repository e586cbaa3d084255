"""Where the service is and which key opens it: from the environment, else from the stack running on this machine."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from client.errors import EXIT_NOT_ALLOWED, EXIT_UNREACHABLE, EXIT_USAGE, ClientError

CONNECTION_FILE = "connection.json"


def default_data_folder() -> Path:
    """Where `fgfi up` keeps its state unless told otherwise."""
    return user_data_path("fgfi", appauthor=False)


@dataclass(frozen=True)
class Connection:
    """The service's address and an API key, which no message or log may show."""

    url: str
    api_key: str = field(repr=False)


def find(data: Path | None = None) -> Connection:
    """`FGFI_URL` and `FGFI_API_KEY`; what is not set comes from the data folder of `fgfi up`. Raises ClientError."""
    local = of_local_stack(data or default_data_folder())
    url = os.environ.get("FGFI_URL") or (local.url if local else None)
    if url is None:
        raise ClientError(
            "no service is known on this machine",
            hints=("start one with `fgfi up`, or set FGFI_URL and FGFI_API_KEY",),
            exit_code=EXIT_UNREACHABLE,
        )
    if not url.startswith(("http://", "https://")):
        raise ClientError(
            f"FGFI_URL is '{url}', which is no address",
            hints=("it begins with http:// or https://",),
            exit_code=EXIT_USAGE,
        )
    key = os.environ.get("FGFI_API_KEY")
    # The local key goes to the local stack only: never to an address from the environment.
    if key is None and local and url.rstrip("/") == local.url:
        key = local.api_key
    if key is None:
        raise ClientError(f"there is no API key for {url}", hints=("set FGFI_API_KEY",), exit_code=EXIT_NOT_ALLOWED)
    return Connection(url.rstrip("/"), key)


def of_local_stack(data: Path) -> Connection | None:
    """The stack that runs with this data folder, whatever the environment says. Raises ClientError."""
    content = _read(data)
    return Connection(str(content["url"]).rstrip("/"), str(content["api_key"])) if content else None


def serving_process(data: Path) -> int | None:
    """The number of the `fgfi up` that is ready with this data folder, None while there is none."""
    content = _read(data)
    return int(content["pid"]) if content else None


def _read(data: Path) -> dict[str, Any] | None:
    path = data / CONNECTION_FILE
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ClientError(f"cannot read {path}: {error}") from error
    if not isinstance(content, dict) or not content.keys() >= {"url", "api_key", "pid"}:
        raise ClientError(f"{path} is not what `fgfi up` writes: delete it and start `fgfi up` again")
    return content

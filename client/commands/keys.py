"""`fgfi keys`: who may use the project, and with which scopes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from typer import Argument, Option

from client.errors import EXIT_USAGE, ClientError
from client.models import Key
from client.output import JsonOption, age, console, error_console, print_json, print_table
from client.sdk import Fgfi

app = typer.Typer(help="Add, list, rotate and revoke API keys of the project.", no_args_is_help=True)

SCOPES = ("read", "submit", "admin", "operator")
KeyArgument = Annotated[str, Argument(metavar="KEY", help="The key's id, such as key_...")]


@app.command("add")
def add(
    name: Annotated[str, Argument(help="What people will know it by.")],
    scopes: Annotated[list[str] | None, Option("--scope", help=f"{', '.join(SCOPES)}; default: read.")] = None,
    days: Annotated[float | None, Option(min=0, help="It expires after so many days; default: never.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key. It is printed now and never again: whoever needs it has to keep it."""
    chosen = scopes or ["read"]
    unknown = [scope for scope in chosen if scope not in SCOPES]
    if unknown:
        raise ClientError(f"--scope is '{unknown[0]}'; it is one of {', '.join(SCOPES)}", exit_code=EXIT_USAGE)
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with Fgfi.connect() as service:
        _show_once(service.keys.add(name, chosen, expires_at), as_json=as_json)


@app.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the keys that are not revoked, newest first."""
    with Fgfi.connect() as service:
        found = service.keys.list()
    if as_json:
        print_json([key.model_dump(mode="json") for key in found])
        return
    rows = [
        (
            key.id,
            key.name,
            f"{key.hint}...",
            " ".join(key.scopes),
            age(key.last_used_at) if key.last_used_at else "never",
            f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
        )
        for key in found
    ]
    print_table(("id", "name", "begins", "scopes", "used", "expires"), rows, shorten="name")


@app.command("rotate")
def rotate(
    key: KeyArgument,
    overlap_hours: Annotated[float, Option(min=0, max=2160, help="So long the old key works on.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Make a key that takes this one's place, which works on for a while, so that nothing stands still."""
    with Fgfi.connect() as service:
        _show_once(service.keys.rotate(key, overlap_hours), as_json=as_json)


@app.command("revoke")
def revoke(key: KeyArgument) -> None:
    """Make a key useless at once, with the browser sessions that it opened."""
    with Fgfi.connect() as service:
        service.keys.revoke(key)
    console.print(f"{key} is revoked", markup=False)


def _show_once(key: Key, *, as_json: bool) -> None:
    if as_json:
        print_json(key.model_dump(mode="json"))
        return
    error_console.print(f"{key.id}, {' '.join(key.scopes)}; shown once:", markup=False)
    typer.echo(key.token)  # Alone on its stream, for a file or a variable.

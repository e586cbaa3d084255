"""`fgfi up`: the whole service on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from client.connection import default_data_folder
from client.errors import ClientError

DEFAULT_PORT = 8000


def up(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder for everything the service keeps. Default: the user's own.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. For others than this machine also name it in FGFI_ALLOWED_HOSTS.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the dashboard and the API; 0 is any free one.")
    ] = DEFAULT_PORT,
) -> None:
    """Run PostgreSQL, Redis, the API, the steward and a worker until Ctrl-C; prints the address and a login link.

    FGFI_DATABASE_URL and FGFI_REDIS_URL name servers to use instead of the ones this starts.
    """
    try:
        # On demand: the rest of the command line needs no server.
        from embedded.errors import StackError  # noqa: PLC0415
        from embedded.stack import up as run  # noqa: PLC0415
    except ImportError as error:
        raise stack_missing(error) from error
    try:
        run(data or default_data_folder(), host, port)
    except StackError as error:
        raise ClientError(str(error)) from error


def stack_missing(error: ImportError) -> ClientError:
    """A part of the stack cannot be loaded."""
    return ClientError(
        f"the one-machine stack cannot be loaded: {error}",
        hints=("it needs Linux or macOS (on Windows: WSL), and this package's extras `embedded` and `train`",),
    )

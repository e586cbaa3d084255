"""`fgfi doctor`: is everything as it must be, and what to do where it is not."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from client import checks, connection
from client.checks import Check
from client.errors import EXIT_FAILURE
from client.output import JsonOption, console, print_json

_MARKS = {"ok": "[green]ok[/]   ", "note": "[yellow]note[/] ", "wrong": "[red]wrong[/]"}


def doctor(
    data: Annotated[
        Path | None, typer.Option("--data", help="The data folder of `fgfi up`, when it is not the usual one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check this machine (packages, device, disk) and the service (key, version, database, broker, store).

    Exits with 1 when something is wrong; a note alone is none.
    """
    found: list[Check] = []
    every = (checks.machine(data or connection.default_data_folder()), checks.service(lambda: connection.find(data)))
    for check in (one for source in every for one in source):
        found.append(check)
        if not as_json:
            _show(check)
    if as_json:
        print_json({"well": _well(found), "checks": [asdict(check) for check in found]})
    if not _well(found):
        raise typer.Exit(EXIT_FAILURE)


def _well(found: Sequence[Check]) -> bool:
    return all(check.state != "wrong" for check in found)


def _show(check: Check) -> None:
    console.print(f"{_MARKS[check.state]} {check.name:9} {escape(check.said)}", soft_wrap=True)
    if check.mend:
        console.print(f"                {escape(check.mend)}", style="dim", soft_wrap=True)

"""What commands print: tables for people, JSON for programs, errors for both on the error stream."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from client.errors import ClientError
from client.models import Scores

console = Console(highlight=False)
error_console = Console(stderr=True, highlight=False)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


def print_json(value: Any) -> None:
    """One JSON document; on its own line, so that a program can read it whole."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None) -> None:
    """A table; numbers to the right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[index]) for row in rows)
        # The first column names the thing: it must stay in one piece, to be copied or searched for.
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    console.print(table)


def print_error(error: ClientError, *, as_json: bool) -> None:
    """The message and its hints."""
    if as_json:
        print_json({"error": {"code": error.code, "message": error.message, "hints": list(error.hints)}})
        return
    error_console.print(f"[bold red]fgfi:[/] {escape(error.message)}", soft_wrap=True)
    for hint in error.hints:
        error_console.print(f"  {escape(hint)}", soft_wrap=True)


def print_scores(scores: Scores) -> None:
    """Teacher, plain and imitated student side by side, as far as they are known."""
    named = {"teacher": scores.teacher, "plain student": scores.plain, "imitated student": scores.imitated}
    rows = [(name, percent(value)) for name, value in named.items() if value is not None]
    if rows:
        print_table(("detector", "mAP50"), rows)
    if scores.gap_closed is not None:
        console.print(f"share of the gap closed: {percent(scores.gap_closed)} %", markup=False)


def print_exports(exports: Sequence[Mapping[str, Any]]) -> None:
    """The delivered files, as they were measured."""
    if exports:
        rows = [(e["format"], size(e["size"]), percent(e["map50"]), f"{e['latency_ms']:.1f} ms") for e in exports]
        print_table(("export", "size", "mAP50", "latency, one image"), rows)


def percent(fraction: float | None) -> str:
    """A fraction as people compare accuracies: 0.6543 -> 65.4; a dash where there is none."""
    return "-" if fraction is None else f"{100 * fraction:.1f}"


def size(count: float | None) -> str:
    """Bytes for people."""
    if count is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("the last unit always returns")


def _is_number(cell: object) -> bool:
    text = str(cell).strip()
    return text == "-" or text.replace(".", "", 1).replace(",", "").removeprefix("-").isdigit()

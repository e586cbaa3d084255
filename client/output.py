"""What commands print: tables for people, JSON for programs, errors for both on the error stream."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from client.errors import ClientError
from client.models import Scores
from client.table import lines

console = Console(highlight=False)
error_console = Console(stderr=True, highlight=False)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


def print_json(value: Any) -> None:
    """One JSON document; on its own line, so that a program can read it whole."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    notes: Sequence[str] = (),
    shorten: str | None = None,
) -> None:
    """A table, one line a row. notes: a text below each row. shorten: the column that gives way on a narrow terminal.

    What is read by a program or kept in a file is never shortened.
    """
    width = console.width if console.is_terminal else None
    head, *body = lines(columns, rows, width=width, shorten=shorten)
    console.print(head, style="bold", markup=False, soft_wrap=True)
    for number, line in enumerate(body):
        console.print(line, markup=False, soft_wrap=True)
        for part in textwrap.wrap(notes[number], console.width - 2) if notes else ():
            console.print(f"  {part}", style="dim", markup=False, soft_wrap=True)


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


def age(time: datetime, now: datetime | None = None) -> str:
    """How long ago, in three letters or so: 40s, 5m, 3h, 12d."""
    passed = max(0, int(((now or datetime.now(UTC)) - time).total_seconds()))
    for unit, seconds in (("d", 86_400), ("h", 3600), ("m", 60)):
        if passed >= seconds:
            return f"{passed // seconds}{unit}"
    return f"{passed}s"


def duration(seconds: float) -> str:
    """A length of time with its two largest parts: 8s, 3m20s, 2h05m."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"

"""Markdown tables from results that programs wrote."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]


def table(name: str, rows: Rows) -> str:
    """The table of a results file, by its name; an experiment's arms unless it is one of the others."""
    return _TABLES.get(name, arms)(rows)


def arms(rows: Rows) -> str:
    """One row per arm: mean and standard deviation over seeds, in percent."""
    header = (
        "arm",
        "seeds",
        "teacher",
        "plain",
        "imitated",
        "gain",
        "gap closed",
        "training, s (teacher / plain / imitated)",
    )
    return _markdown(header, [_arm(row) for row in rows])


def overfit(rows: Rows) -> str:
    """One row per detector: what it took to learn a few images by heart."""
    header = ("detector", "parameters", "input", "steps", "first loss", "last loss", "mAP", "s")
    return _markdown(
        header,
        [
            (
                f"`{row['detector']}`",
                f"{row['parameters'] / 1e6:.2f} M",
                "x".join(str(side) for side in row.get("image_size", (256, 192))),
                str(row["steps"]),
                f"{row['loss'][0]:.2f}",
                f"{row['loss'][1]:.3f}",
                f"{100 * row['map50']:.1f}",
                str(row["seconds"]),
            )
            for row in rows
        ],
    )


def pairs(rows: Rows) -> str:
    """One row per pair: losses at the beginning and the end."""
    header = (
        "teacher",
        "student",
        "why",
        "data",
        "levels matched",
        "steps (teacher / student)",
        "teacher's loss",
        "student's loss",
        "imitation loss",
        "weight",
    )
    return _markdown(
        header,
        [
            (
                f"`{row['teacher']}`",
                f"`{row['student']}`",
                row["why"],
                row["data"],
                row["levels"],
                " / ".join(map(str, row["steps"])),
                _from_to(row["teacher_loss"]),
                _from_to(row["loss"]),
                _from_to(row["imitation"]),
                f"{row['weight']:.3g}",
            )
            for row in rows
        ],
    )


def queue(rows: Rows) -> str:
    """One row per call: medians and rows read at each number of jobs, ratios to the least, indexes used at the most."""
    sizes = [_thousands(size) for size in rows[0]["rows"]] if rows else []
    header = ("call", *(f"{size}, ms" for size in sizes), *(f"{size}, ratio" for size in sizes[1:]), "rows read", "by")
    return _markdown(
        header,
        [
            (
                row["call"],
                *(f"{one:.1f}" for one in row["ms"]),
                *(f"{one:.2f}" for one in row["ratio"][1:]),
                " / ".join(map(str, row["read"])),
                ", ".join(f"`{one}`" for one in row["by"]),
            )
            for row in rows
        ],
    )


def queue_workers(rows: Rows) -> str:
    """One row per call of many workers at one queue."""
    header = ("call", "workers", "calls", "a second", "p50, ms", "p99, ms", "database, ms", "doubled")
    return _markdown(
        header,
        [
            (
                row["call"],
                str(row["workers"]),
                str(row["calls"]),
                f"{row['per_second']:.1f}",
                f"{row['p50']:.0f}",
                f"{row['p99']:.0f}",
                f"{row['database']:.2f}",
                str(row["doubled"]),
            )
            for row in rows
        ],
    )


def api(rows: Rows) -> str:
    """One row per call: requests a second, median and 99th percentile, at each number of jobs."""
    sizes = [_thousands(size) for size in rows[0]["rows"]] if rows else []
    header = ("call", *(f"{size}: {what}" for size in sizes for what in ("a second", "p50, ms", "p99, ms")))
    return _markdown(
        header,
        [
            (
                row["call"],
                *(
                    f"{figure:.0f}"
                    for each in zip(row["per_second"], row["p50"], row["p99"], strict=True)
                    for figure in each
                ),
            )
            for row in rows
        ],
    )


def api_process(rows: Rows) -> str:
    """One row per figure of a process: its median, and from where to where it went when it was measured again."""
    return _markdown(
        ("of one process", "median", "times", "from", "to"),
        [
            (
                row["what"],
                f"{statistics.median(row['values']):g}",
                str(len(row["values"])),
                f"{min(row['values']):g}",
                f"{max(row['values']):g}",
            )
            for row in rows
        ],
    )


_TABLES: Mapping[str, Callable[[Rows], str]] = {
    "api": api,
    "api-process": api_process,
    "overfit": overfit,
    "pairs": pairs,
    "queue": queue,
    "queue-workers": queue_workers,
}


def _arm(row: Mapping[str, Any]) -> tuple[str, ...]:
    scores, seconds = row["map50"], row["seconds"]
    differences = [i - p for p, i in zip(scores["plain"], scores["imitated"], strict=False)]
    return (
        row["arm"],
        str(len(scores["imitated"]) or len(scores["plain"])),
        *(_spread([100 * s for s in scores[role]]) for role in ("teacher", "plain", "imitated")),
        _spread([100 * d for d in differences], sign="+"),
        "undefined" if row["gap_closed"] is None else f"{row['gap_closed']:.0%}",
        " / ".join(str(seconds[role]) for role in ("teacher", "plain", "imitated")),
    )


def _spread(values: Sequence[float], sign: str = "") -> str:
    if not values:
        return "-"
    mean = f"{statistics.mean(values):{sign}.1f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.1f}"


def _thousands(count: int) -> str:
    return f"{count // 1000}k" if count < 1_000_000 else f"{count / 1_000_000:g}M"


def _from_to(ends: Sequence[float]) -> str:
    return f"{ends[0]:.3g} → {ends[1]:.3g}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Words to the left, numbers to the right, judged by the first row."""
    first = rows[0] if rows else header
    marks = ["--:" if cell[:1].isdigit() or cell[:1] in "+-" else "---" for cell in first]
    lines = [header, marks, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

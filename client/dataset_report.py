"""What was found in a data set, as tables for a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from client.output import console, print_table

_SHOWN = 20
# From which class on a list of them gets long.
_CLASSES = 30

Report = Mapping[str, Any]
"""A report as JSON: `fgfi_core.data.DatasetReport`, made here or by the service."""


def print_report(report: Report) -> None:
    """The whole report: what is there, how it is, what is wrong."""
    _print_head(report)
    _print_splits(report)
    _print_classes(report)
    _print_statistics(report.get("statistics") or {})
    if report["problems"]:
        console.print("\nproblems", style="bold", markup=False)
    print_problems(report)


def print_problems(report: Report) -> None:
    """The first problems, errors before warnings, and how many more there are."""
    problems, counts = report.get("problems") or [], report.get("problem_counts") or {}
    for problem in problems[:_SHOWN]:
        place = ":".join(str(problem[part]) for part in ("file", "line") if problem.get(part) is not None)
        line = f"  {problem.get('severity', 'note')}: {place}: {problem.get('message', '')}"
        console.print(line, markup=False, soft_wrap=True)
    more = max(sum(counts.values()), len(problems)) - _SHOWN
    if more > 0:
        console.print(f"  and {more:,} more; with --json the first {len(problems)} are listed", markup=False)


def _print_head(report: Report) -> None:
    counts = report["problem_counts"]
    said = [_count(counts.get(kind, 0), kind) for kind in ("error", "warning") if counts.get(kind)]
    verdict = "usable" if report["usable"] else "not usable"
    console.print(f"{report['format']}, {verdict}: {', '.join(said) or 'no problems'}", style="bold", markup=False)
    sides = " by ".join(_range(report[side]) for side in ("width", "height"))
    console.print(
        f"{_count(report['images'], 'image')} of {sides} pixels, {_count(report['boxes'], 'box', 'boxes')}, "
        f"{_count(len(report['classes']), 'class', 'classes')}",
        markup=False,
    )


def _print_splits(report: Report) -> None:
    columns = ["images", "empty", "boxes", "difficult", "crowd", "ignored"]
    # Marks that a format does not know, or nobody set, are no columns.
    columns = [name for name in columns if name in {"images", "boxes"} or _any(report["splits"], name)]
    rows = [(name, *(f"{split[key]:,}" for key in columns)) for name, split in report["splits"].items()]
    _section(("split", *columns), rows, shorten="split")
    for shared in report["shared"]:
        both = " and ".join(shared["splits"])
        console.print(f"{both} have {_count(shared['images'], 'image')} in common", style="bold", markup=False)


def _print_classes(report: Report) -> None:
    statistics = report.get("statistics") or {}
    sizes = statistics.get("sizes_per_class") or {}
    tiny = {at["stride"]: at["per_class"] for at in (statistics.get("tiny") or {}).get("strides", ())}
    rows = []
    for name, one in report["classes"].items():
        if one["boxes"]:
            own = sizes.get(name) or {}
            typical = f"{one['median_width']:.0f}x{one['median_height']:.0f}"
            parts = (f"{own[size]:,}" for size in ("small", "medium", "large") if size in own)
            cells = (f"{counts[name]:,}" for counts in tiny.values())
            rows.append((name, f"{one['boxes']:,}", f"{one['images']:,}", typical, *parts, *cells))
    known = ("small", "medium", "large") if sizes else ()
    columns = ("class", "boxes", "images", "median", *known, *(f"<{stride}" for stride in tiny))
    _section(columns, rows, shorten="class")
    empty = [name for name, one in report["classes"].items() if not one["boxes"]]
    if empty:
        more = f" and {len(empty) - _CLASSES} more" if len(empty) > _CLASSES else ""
        listed = f"without a box: {', '.join(empty[:_CLASSES])}{more}"
        console.print(listed, style="dim", markup=False)
    if sizes:
        said = "median: width x height in pixels; small, medium, large: COCO's sizes, below 32x32, 96x96, and above"
        console.print(said, style="dim", markup=False)


def _print_statistics(statistics: Report) -> None:
    if not statistics:
        return
    _print_histogram("boxes an image", "images", statistics["boxes_per_image"], whole=True)
    _print_histogram("width/height", "boxes", statistics["aspect_ratios"], whole=False)
    tiny = statistics.get("tiny")
    if tiny:
        size = "x".join(map(str, tiny["image_size"]))
        rows = [(at["stride"], f"{at['boxes']:,}", f"{100 * at['share']:.1f} %") for at in tiny["strides"]]
        _section(("stride", f"tiny at {size}", "share"), rows)
        said = "tiny: both sides shorter than one cell of a map of this stride, on images of the size asked for"
        console.print(said, style="dim", markup=False)


def _print_histogram(title: str, of: str, histogram: Report, *, whole: bool) -> None:
    starts = histogram["starts"]
    ends = [*starts[1:], None]
    names = [_part(start, end, whole=whole) for start, end in zip(starts, ends, strict=True)]
    _section((title, *names), [(of, *(f"{count:,}" for count in histogram["counts"]))])


def _part(start: float, end: float | None, *, whole: bool) -> str:
    if end is None:
        return f"{start:g}+"
    if not whole:
        return f"<{end:g}"
    return f"{start:g}" if end - start == 1 else f"{start:g}-{end - 1:g}"


def _section(columns: Sequence[str], rows: Sequence[Sequence[object]], shorten: str | None = None) -> None:
    console.print()
    print_table(columns, rows, shorten=shorten)


def _any(splits: Mapping[str, Report], key: str) -> bool:
    return any(split[key] for split in splits.values())


def _range(of: Report) -> str:
    least, most = of["smallest"], of["largest"]
    return f"{least:g}" if least == most else f"{least:g}-{most:g}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"

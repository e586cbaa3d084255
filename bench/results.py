"""The tables of docs/results.md, from results that programs wrote; no number in them is typed.

    python -m bench.results [--collect build/recipes/demo]

`--collect` condenses the `result.json` of every arm into docs/results/<experiment>.json. Then each table between the
markers `<!-- table: EXPERIMENT -->` and `<!-- end -->` is written anew; a test holds the page against the files.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.tables import table
from fgfi_core.results import JobResult, Role

DOCS = Path(__file__).parent.parent / "docs"
TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def condense(experiment: Path) -> list[dict[str, Any]]:
    """One row per arm: mAP at IoU 0.5 of each role and seed, gap closed, training seconds of each role."""
    rows = []
    for path in sorted(experiment.glob("*/result.json")):
        result = JobResult.model_validate_json(path.read_text())
        roles: tuple[Role, ...] = ("teacher", "plain", "imitated")
        rows.append(
            {
                "arm": path.parent.name,
                "map50": {r: [round(t.score.map50, 5) for t in result.trainings if t.role == r] for r in roles},
                "seconds": {r: round(sum(t.seconds for t in result.trainings if t.role == r)) for r in roles},
                "gap_closed": None if result.gap_closed is None else round(result.gap_closed, 4),
                "weights": [weight for t in result.trainings for weight in t.imitation_weights.values()],
            }
        )
    return rows


def render(page: str, results: Path) -> str:
    """The page with every table written anew."""

    def fill(match: re.Match[str]) -> str:
        rows = json.loads((results / f"{match['name']}.json").read_text())
        return f"{match[1]}{table(match['name'], rows)}{match[3]}"

    return TABLE.sub(fill, page)


def keep(name: str, rows: Sequence[Mapping[str, Any]], *, write: bool) -> None:
    """Print a measurement's table; when asked, keep its rows as docs/results/<name>.json."""
    print(table(name, rows), flush=True)
    if write:
        lines = ",\n ".join(json.dumps(row) for row in rows)
        (DOCS / "results" / f"{name}.json").write_text(f"[\n {lines}\n]\n")


def main() -> None:
    """Collect, when asked, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collect", type=Path)
    collect: Path | None = parser.parse_args().collect
    results = DOCS / "results"
    if collect is not None:
        (results / f"{collect.name}.json").write_text(json.dumps(condense(collect), indent=1) + "\n")
    page = DOCS / "results.md"
    page.write_text(render(page.read_text(), results))


if __name__ == "__main__":
    main()

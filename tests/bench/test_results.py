import json
from pathlib import Path

from bench.results import DOCS, render, table


def test_the_tables_of_the_results_page_are_those_of_the_files() -> None:
    page = (DOCS / "results.md").read_text()
    assert "<!-- table: demo -->" in page
    assert render(page, DOCS / "results") == page


def test_a_changed_result_changes_the_table(tmp_path: Path) -> None:
    row = {
        "arm": "a",
        "map50": {"teacher": [0.7], "plain": [0.5, 0.6], "imitated": [0.6, 0.65]},
        "seconds": {"teacher": 1, "plain": 2, "imitated": 3},
        "gap_closed": 0.25,
        "weights": [],
    }
    (tmp_path / "demo.json").write_text(json.dumps([row]))
    page = "before\n<!-- table: demo -->\nold\n<!-- end -->\nafter\n"
    assert render(page, tmp_path) == f"before\n<!-- table: demo -->\n{table([row])}<!-- end -->\nafter\n"
    assert "| a | 2 | 70.0 | 55.0 ± 7.1 | 62.5 ± 3.5 | +7.5 ± 3.5 | 25% | 1 / 2 / 3 |" in table([row])

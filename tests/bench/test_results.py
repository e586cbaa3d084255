import json
from pathlib import Path

from bench.results import DOCS, render
from bench.tables import table


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
    assert render(page, tmp_path) == f"before\n<!-- table: demo -->\n{table('demo', [row])}<!-- end -->\nafter\n"
    assert "| a | 2 | 70.0 | 55.0 ± 7.1 | 62.5 ± 3.5 | +7.5 ± 3.5 | 25% | 1 / 2 / 3 |" in table("demo", [row])


def test_losses_of_a_pair_are_told_from_beginning_to_end() -> None:
    row = {
        "why": "paper",
        "teacher": "shuffledet-1x",
        "student": "shuffledet-0.25x",
        "data": "kitti 1248x384",
        "steps": [60, 200],
        "levels": "1 of 1 / 1",
        "teacher_loss": [151.2, 60.04],
        "loss": [150.0, 55.5],
        "imitation": [12.0, 0.125],
        "weight": 1.2345,
    }
    (line,) = table("pairs", [row]).splitlines()[2:]
    assert line.endswith("| 60 / 200 | 151 → 60 | 150 → 55.5 | 12 → 0.125 | 1.23 |")


def test_a_detector_that_learnt_by_heart_has_its_map_in_percent() -> None:
    row = {
        "detector": "a",
        "parameters": 1_602_312,
        "steps": 300,
        "seconds": 57,
        "loss": [9.029, 0.005],
        "map50": 0.9948,
    }
    (line,) = table("overfit", [row]).splitlines()[2:]
    assert line == "| `a` | 1.60 M | 256x192 | 300 | 9.03 | 0.005 | 99.5 | 57 |"

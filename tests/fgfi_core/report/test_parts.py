"""The pieces that the report is put together from, each on data made by hand."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fgfi_core.data import Example
from fgfi_core.evaluation.report import ERROR_KINDS, Change, Confusion, Helped, Size
from fgfi_core.preflight.report import FILE, Finding, PreflightReport
from fgfi_core.report.confusion import MOST, confusion_table
from fgfi_core.report.donuts import donut
from fgfi_core.report.errors import MEANINGS, ErrorBar, Segment
from fgfi_core.report.findings import read
from fgfi_core.report.heat import heat_panel, scale_bar, scale_end
from fgfi_core.report.helped import class_changes
from fgfi_core.report.roles import ROLES


def helped(plain: float, imitated: float) -> Helped:
    change = Change(plain=plain, imitated=imitated)
    sizes: tuple[Size, ...] = ("small", "medium", "large")
    nothing = Change(plain=None, imitated=None)
    classes = {"better": change, "worse": Change(plain=0.5, imitated=0.4), "absent": nothing}
    return Helped(classes=classes, sizes=dict.fromkeys(sizes, change), gained=(), lost=())


def test_changes_are_means_over_seeds_and_the_most_won_comes_first() -> None:
    rows = class_changes([helped(0.2, 0.3), helped(0.2, 0.5)])
    assert [row.name for row in rows] == ["better", "worse"]
    assert rows[0].won is not None
    assert abs(rows[0].won - 0.2) < 1e-12
    assert rows[0].reach == 1
    assert abs(rows[1].reach + 0.5) < 1e-12


def test_changes_far_below_a_point_are_drawn_small() -> None:
    change = Change(plain=0.5, imitated=0.501)
    one = helped(0.5, 0.501).model_copy(update={"classes": {"better": change}})
    (row,) = class_changes([one])
    assert abs(row.reach - 0.1) < 1e-9


def counted(errors: int, **kinds: int) -> ErrorBar:
    segments = tuple(Segment(kind, kinds[kind], 0.0) for kind in ERROR_KINDS if kind in kinds)
    return ErrorBar(identity=ROLES["plain"], true=10, errors=errors, segments=segments)


def arcs(ring: str) -> list[tuple[float, float, float, float]]:
    """(radius, width, length of the arc, where it begins in degrees) of each part of a ring."""
    found = re.findall(
        r'r="([\d.]+)" stroke-width="([\d.]+)" stroke-dasharray="([\d.]+) [\d.]+" transform="rotate\(([-\d.]+)', ring
    )
    return [(float(r), float(width), float(on), float(turn)) for r, width, on, turn in found]


def test_the_parts_of_a_ring_are_the_kinds_shares_one_after_another() -> None:
    (first, second) = arcs(donut(counted(40, missed=10, localisation=30), 40))
    round_ = 2 * math.pi * first[0]
    assert [part[2] / round_ for part in (first, second)] == pytest.approx([0.75, 0.25], abs=1e-3)
    assert (first[3], second[3]) == (-90, 180)


def test_a_ring_has_an_area_that_is_its_number_of_errors() -> None:
    (many,), (fewer,) = (arcs(donut(counted(n, missed=n), 80)) for n in (80, 40))
    assert fewer[0] * fewer[1] == pytest.approx(many[0] * many[1] / 2, rel=1e-2)


def test_a_role_without_errors_has_an_empty_ring() -> None:
    assert 'class="arc none"' in donut(counted(0), 0)
    assert "errors by kind: none" in donut(counted(0), 80)


def test_a_confusion_of_few_classes_is_kept_whole() -> None:
    table = confusion_table(Confusion(classes=("a", "b"), counts=((8, 1, 1), (0, 3, 1), (5, 0, 0))))
    assert table.columns == ("a", "b", "missed")
    name, total, cells = table.rows[0]
    assert (name, total) == ("a", 10)
    assert [(cell.count, cell.share, cell.right) for cell in cells] == [
        (8, 0.8, True),
        (1, 0.1, False),
        (1, 0.1, False),
    ]
    assert table.rows[-1][0] == "no box"
    assert table.rows[-1][2][-1].empty


def test_a_confusion_of_many_classes_keeps_the_largest_and_every_count() -> None:
    counts = np.arange(31 * 31).reshape(31, 31)
    table = confusion_table(Confusion(classes=tuple(f"c{i}" for i in range(30)), counts=tuple(map(tuple, counts))))
    assert len(table.columns) == MOST + 1
    assert table.columns[-2:] == ("other classes", "missed")
    assert "c29" in table.columns
    assert "c0" not in table.columns
    assert sum(cell.count for _, _, cells in table.rows for cell in cells) == counts.sum()


def test_every_kind_of_error_has_a_meaning() -> None:
    assert tuple(MEANINGS) == ERROR_KINDS


def test_findings_are_read_and_an_unknown_layout_is_no_findings(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    finding = Finding(check="anchors", phase="start", severity="ok", message="fine")
    (tmp_path / FILE).write_text(PreflightReport(findings=(finding,)).model_dump_json())
    assert read(tmp_path) == PreflightReport(findings=(finding,))
    (tmp_path / FILE).write_text('{"findings": [{"check": 1}]}')
    assert read(tmp_path) is None


def test_the_region_is_outlined_along_its_cells(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20)).save(tmp_path / "one.png")
    empty = np.zeros(0)
    example = Example(
        "one",
        tmp_path / "one.png",
        40,
        20,
        np.zeros((0, 4), np.float32),
        empty.astype(np.int64),
        empty.astype(np.bool_),
    )
    region = np.array([[True, False], [False, False]])
    panel = heat_panel("photo0", example, np.ones((2, 2), np.float32), region, 1.0, "<distance>")
    # Its four sides: two of 20 pixels, two of 10.
    assert panel.count("M0.0 0.0h20.0M0.0 10.0h20.0M0.0 0.0v10.0M20.0 0.0v10.0") == 2
    assert "<distance>" not in panel


def test_a_scale_ends_below_the_outliers() -> None:
    cells = np.ones((20, 20), np.float32)
    cells[0, 0] = 1000
    assert scale_end([cells, cells]) < 2
    assert "2.00 and more" in scale_bar(2.0, 3)

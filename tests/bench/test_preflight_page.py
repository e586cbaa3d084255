"""The page of the pre-flight names every check, and no other, with the limits that the code has."""

import re

import pytest

from bench.results import DOCS
from fgfi_core.preflight import anchors, data_problems, estimate, gradient, map_shapes, pair, region, teacher
from fgfi_core.preflight.checks import CHECKS

PAGE = (DOCS / "preflight.md").read_text(encoding="utf-8")
TABLE, NUMBERS = PAGE.split("## Numbers")


def row(check: str, phase: str) -> str:
    (found,) = re.findall(rf"^\| `{check}` \| {phase} \|.*$", TABLE, re.MULTILINE)
    return str(found)


def test_the_table_is_the_registry_in_its_order() -> None:
    named = re.findall(r"^\| `(\w+)` \| (\w+) \|", TABLE, re.MULTILINE)
    assert named == [(check.name, phase) for phase, checks in CHECKS.items() for check in checks]


def test_only_checks_have_numbers() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", NUMBERS, re.MULTILINE))
    assert named <= {check.name for checks in CHECKS.values() for check in checks}


@pytest.mark.parametrize(
    ("check", "phase", "limits"),
    [
        ("data_problems", "start", [f"first {data_problems.SHOWN} "]),
        ("anchors", "start", [f"{anchors.REFUSE_SHARE:.0%}", f"{anchors.WARN_SHARE:.0%}", f"{anchors.UNREACHED_IOU}"]),
        ("map_shapes", "start", [f"{map_shapes.LARGEST_RESIZE}"]),
        ("region", "start", [f"{region.REFUSE_EMPTY:.0%}", f"{region.WARN_EMPTY:.0%}", f"{region.WHOLE_MAP:.0%}"]),
        ("teacher", "teacher", [f"{teacher.TRIAL_STEPS} steps"]),
        ("gradient", "start", ["below 1e-10", "below 1e-8"]),
        ("gradient", "teacher", ["1e-6", f"{gradient.TOO_MUCH:g} times"]),
    ],
)
def test_a_row_has_the_limits_of_its_check(check: str, phase: str, limits: list[str]) -> None:
    text = row(check, phase).replace(" %", "%")
    assert [limit for limit in limits if limit not in text] == []


def test_the_samples_are_as_large_as_it_says() -> None:
    assert f"of {pair.SAMPLE} images, at most {region.MOST_BOXES} boxes" in NUMBERS
    assert f"of {gradient.IMAGES} images" in NUMBERS
    assert f"under {estimate.LEAST_STEPS} steps" in NUMBERS
    assert (gradient.NOTHING, gradient.PERHAPS_NOTHING, gradient.SURELY_NOTHING) == (1e-6, 1e-8, 1e-10)

"""What the pages of data sets and models show, before any HTML."""

from typing import Any

from api.dashboard.views.datasets import report
from api.dashboard.views.models import inspection

RANGE = {"smallest": 1, "median": 1, "largest": 1}


def a_report(**changes: Any) -> dict[str, Any]:
    return {
        "format": "voc",
        "images": 3,
        "boxes": 5,
        "splits": {},
        "classes": {
            "rare": {"boxes": 1, "images": 1, "median_width": 4.0, "median_height": 5.0},
            "common": {"boxes": 4, "images": 2, "median_width": 4.0, "median_height": 5.0},
            "never": {"boxes": 0, "images": 0, "median_width": None, "median_height": None},
        },
        "width": RANGE,
        "height": RANGE,
        "problems": [],
        "problem_counts": {"error": 0, "warning": 2},
        **changes,
    }


def test_classes_come_by_their_number_of_boxes() -> None:
    found = report(a_report())
    assert found is not None
    assert [(one.name, one.share) for one in found.classes] == [("common", 1.0), ("rare", 0.25), ("never", 0.0)]


def test_a_histogram_is_shown_from_its_first_filled_part_to_its_last() -> None:
    statistics = {
        "sizes": {"small": 0, "medium": 3, "large": 1},
        "boxes_per_image": {"starts": [0, 1, 2, 3, 5], "counts": [0, 2, 0, 1, 0]},
        "aspect_ratios": {"starts": [0.0, 0.5, 2.0], "counts": [0, 1, 3]},
    }
    found = report(a_report(statistics=statistics))
    assert found is not None
    assert [(bar.label, bar.count) for bar in found.per_image] == [("1", 2), ("2", 0), ("3 to 4", 1)]
    assert [bar.label for bar in found.aspects] == ["0.5 to 2", "2 or more"]
    assert [bar.share for bar in found.sizes] == [0.0, 1.0, 1 / 3]


def test_a_report_of_before_the_statistics_is_shown_without_them() -> None:
    found = report(a_report())
    assert found is not None
    assert found.aspects == found.per_image == ()
    assert report(None) is None


def test_every_way_in_which_weights_differ_is_told() -> None:
    found = inspection(
        {
            "tensors": 9,
            "parameters": 90,
            "differences": 4,
            "missing": ["a"],
            "unexpected": ["b"],
            "wrong_shape": [{"name": "c", "found": [2, 3], "expected": []}],
            "not_finite": ["d"],
        }
    )
    assert found is not None
    assert [(one.title, one.lines) for one in found.mismatches] == [
        ("Missing", ("a",)),
        ("Of another shape", ("c: is 2 \N{MULTIPLICATION SIGN} 3, should be a single value",)),
        ("Unexpected", ("b",)),
        ("Not finite", ("d",)),
    ]
    assert inspection(None) is None

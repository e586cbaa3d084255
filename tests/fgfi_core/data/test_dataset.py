from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fgfi_core.data import Dataset, Example


def example(image_id: str, **more: Any) -> Example:
    boxes = np.array([[0, 0, 10, 20], [5, 5, 6, 7]], np.float32)
    fields: dict[str, Any] = {
        "boxes": boxes,
        "labels": np.zeros(2, np.int64),
        "difficult": np.zeros(2, np.bool_),
        **more,
    }
    return Example(image_id=image_id, path=Path("a.png"), width=100, height=80, **fields)


def test_what_a_format_does_not_know_is_none_of_it() -> None:
    plain = example("a")
    assert plain.crowd.tolist() == [False, False]
    assert plain.occlusion.tolist() == [0, 0]
    assert plain.truncation.tolist() == [0, 0]
    assert plain.ignored.shape == (0, 4)
    assert [values.dtype for values in (plain.crowd, plain.occlusion, plain.truncation, plain.ignored)] == [
        np.bool_,
        np.int64,
        np.float32,
        np.float32,
    ]


def test_an_object_without_an_outline_has_the_area_of_its_box() -> None:
    assert example("a").area.tolist() == [200, 2]


def test_what_a_format_knows_is_kept() -> None:
    assert example("a", area=np.array([150.0, 1.5])).area.tolist() == [150, 1.5]
    assert example("a", crowd=np.array([True, False])).crowd.tolist() == [True, False]


@pytest.mark.parametrize("name", ["labels", "difficult", "crowd", "occlusion", "truncation", "area"])
def test_one_value_for_each_box_is_required(name: str) -> None:
    with pytest.raises(ValueError, match=rf"'a' has 2 boxes and {name} \(3,\)"):
        example("a", **{name: np.zeros(3)})


@pytest.mark.parametrize("name", ["boxes", "ignored"])
def test_boxes_have_four_sides(name: str) -> None:
    with pytest.raises(ValueError, match=rf"'a' has {name} \(2, 5\), not \[\*, 4\]"):
        example("a", **{name: np.zeros((2, 5), np.float32)}, area=np.zeros(2))


def test_an_image_of_two_splits_is_shared() -> None:
    dataset = Dataset("voc", ("cell",), {"train": (example("a"), example("b")), "val": (example("b"),)})
    assert dataset.shared("train", "val") == {"b"}

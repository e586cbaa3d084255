from pathlib import Path

import pytest

from client.errors import EXIT_USAGE, ClientError
from client.variants import grid, read


def test_each_value_is_a_variant() -> None:
    assert grid(["method.threshold=0.3,0.5"]) == [
        {"changes": {"method": {"threshold": 0.3}}},
        {"changes": {"method": {"threshold": 0.5}}},
    ]


def test_values_are_json_or_else_text() -> None:
    assert [one["changes"]["method"]["name"] for one in grid(["method.name=none,full-feature"])] == [
        "none",
        "full-feature",
    ]
    assert [one["changes"]["seeds"] for one in grid(["seeds=[0,1],[2]"])] == [[0, 1], [2]]


def test_two_fields_make_every_combination_within_one_object() -> None:
    found = grid(["method.threshold=0.3,0.5", "method.weight=1,2", "schedule.epochs=9"])
    assert [one["changes"]["method"] for one in found] == [
        {"threshold": 0.3, "weight": 1},
        {"threshold": 0.3, "weight": 2},
        {"threshold": 0.5, "weight": 1},
        {"threshold": 0.5, "weight": 2},
    ]
    assert {one["changes"]["schedule"]["epochs"] for one in found} == {9}


@pytest.mark.parametrize("text", ["method.threshold", "=0.3", "method.=0.3", "method.threshold="])
def test_what_is_no_field_with_values_is_refused(text: str) -> None:
    with pytest.raises(ClientError, match="not of the form") as caught:
        grid([text])
    assert caught.value.exit_code == EXIT_USAGE


def test_a_file_lists_variants_with_labels_or_changes_alone(tmp_path: Path) -> None:
    file = tmp_path / "variants.yaml"
    file.write_text("- {label: whole map, changes: {method: {name: full-feature}}}\n- {seeds: [1]}\n")
    assert read(file) == [
        {"label": "whole map", "changes": {"method": {"name": "full-feature"}}},
        {"changes": {"seeds": [1]}},
    ]


@pytest.mark.parametrize("text", ["{changes: {}}", "- 3", "a: [", ""])
def test_a_file_that_lists_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "variants.yaml"
    file.write_text(text)
    with pytest.raises(ClientError):
        read(file)

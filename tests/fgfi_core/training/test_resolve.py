import json
from pathlib import Path
from typing import Any

import pytest

from fgfi_core.errors import BadData, BadSpec
from fgfi_core.spec import JobSpec, Preflight
from fgfi_core.training.resolve import FILE, ResolvedSpec, keep, settle

SPEC = JobSpec.model_validate(
    {
        "name": "tiny",
        "dataset": {"train": "train", "val": "val"},
        "teacher": {"detector": "ssd-shufflenetv2-0.5x"},
        "student": {"detector": "ssd-shufflenetv2-0.25x"},
    }
)


def resolved(device: str, width: float = 10.0) -> ResolvedSpec:
    return ResolvedSpec(spec=SPEC, classes=("cell",), anchor_shapes={"student": ((width, 10.0),)}, device=device)


def test_a_run_that_goes_on_elsewhere_keeps_its_resolution_and_says_where_it_is_now(tmp_path: Path) -> None:
    keep(resolved("cpu"), SPEC, tmp_path)

    assert settle(resolved("cuda: a card", width=99.0), SPEC, tmp_path) == resolved("cuda: a card")


def test_going_on_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    keep(resolved("cpu"), SPEC, tmp_path)
    before = (tmp_path / FILE).read_bytes()
    keep(settle(resolved("cuda: a card"), SPEC, tmp_path), SPEC, tmp_path)

    assert (tmp_path / FILE).read_bytes() == before
    assert json.loads(before)["resolved"]["device"] == "cpu"


def test_another_spec_is_refused_with_what_differs(tmp_path: Path) -> None:
    keep(resolved("cpu"), SPEC, tmp_path)

    with pytest.raises(BadSpec, match=r"another spec \(different: name\)"):
        settle(resolved("cpu"), SPEC.model_copy(update={"name": "other"}), tmp_path)


def with_micro_batch(images: int | str, **changes: Any) -> JobSpec:
    schedule = SPEC.schedule.model_copy(update={"batch_size": 8, "micro_batch": images, **changes})
    return SPEC.model_copy(update={"schedule": schedule})


@pytest.mark.parametrize(("asked", "settled"), [("auto", 4), (2, 2), (8, 8), (100, 8)])
def test_a_number_of_images_at_once_is_taken_and_without_one_that_held_stays(
    asked: int | str, settled: int, tmp_path: Path
) -> None:
    begun = resolved("cpu").model_copy(update={"spec": with_micro_batch(4)})
    keep(begun, with_micro_batch("auto"), tmp_path)

    going_on = settle(resolved("cpu"), with_micro_batch(asked), tmp_path)

    assert going_on.spec == with_micro_batch(settled)


def test_images_at_once_that_changed_are_written_down_and_nothing_else_is(tmp_path: Path) -> None:
    keep(resolved("cpu").model_copy(update={"spec": with_micro_batch(4)}), with_micro_batch("auto"), tmp_path)
    before = json.loads((tmp_path / FILE).read_text())
    keep(resolved("cuda: a card", 99.0).model_copy(update={"spec": with_micro_batch(1)}), with_micro_batch(1), tmp_path)

    before["resolved"]["spec"]["schedule"]["micro_batch"] = 1
    assert json.loads((tmp_path / FILE).read_text()) == before


def test_beside_the_images_at_once_the_schedule_is_as_it_was(tmp_path: Path) -> None:
    keep(resolved("cpu"), with_micro_batch("auto"), tmp_path)

    with pytest.raises(BadSpec, match=r"different: schedule\)"):
        settle(resolved("cpu"), with_micro_batch(1, epochs=9), tmp_path)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    keep(resolved("cpu"), SPEC, tmp_path)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-20])

    with pytest.raises(BadData, match=r"resolved\.json, which says how the run was begun, is damaged"):
        settle(resolved("cpu"), SPEC, tmp_path)


def test_what_only_the_preflight_reads_may_change(tmp_path: Path) -> None:
    keep(resolved("cpu"), SPEC, tmp_path)
    forced = SPEC.model_copy(update={"preflight": Preflight(force=True)})

    assert settle(resolved("cpu"), forced, tmp_path).spec == forced


def test_a_folder_of_a_program_that_knew_fewer_fields_is_gone_on_with(tmp_path: Path) -> None:
    keep(resolved("cpu"), SPEC, tmp_path)
    record = json.loads((tmp_path / FILE).read_text())
    for part in ("asked", "resolved"):
        spec = record[part] if part == "asked" else record[part]["spec"]
        del spec["preflight"], spec["schedule"]["micro_batch"]
    (tmp_path / FILE).write_text(json.dumps(record))

    assert settle(resolved("cpu"), SPEC, tmp_path) == resolved("cpu")


@pytest.mark.parametrize("part", ["asked", "resolved"])
def test_a_folder_of_another_version_is_one_line_that_names_the_field(part: str, tmp_path: Path) -> None:
    keep(resolved("cpu"), SPEC, tmp_path)
    record = json.loads((tmp_path / FILE).read_text())
    record[part]["of_the_future"] = 1
    (tmp_path / FILE).write_text(json.dumps(record))

    with pytest.raises(BadData, match=r"resolved\.json was written by another version of this program") as said:
        settle(resolved("cpu"), SPEC, tmp_path)
    assert "\n" not in str(said.value)
    assert "begin anew in another --out folder" in said.value.hint


def test_a_record_of_another_shape_is_another_versions(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('["asked", "resolved"]')

    with pytest.raises(BadData, match="another version"):
        settle(resolved("cpu"), SPEC, tmp_path)

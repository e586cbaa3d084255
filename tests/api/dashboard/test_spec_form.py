"""The form of a new job has what the spec has."""

import json
from collections.abc import Mapping
from typing import Any

from api.dashboard.views.new_job import as_new, fresh, guessed_splits
from api.dashboard.views.spec_form import CHOSEN, spec_form
from fgfi_core.spec import METHODS, JobSpec
from store.tables import Job

SPEC = {
    "name": "cells",
    "dataset": {"id": "ds_1", "val": "val"},
    "teacher": {"detector": "shuffledet-1x"},
    "student": {"detector": "shuffledet-0.25x"},
    "method": {"name": "fine-grained", "threshold": 0.4},
    "schedule": {"epochs": 3, "image_size": [64, 48]},
}


def leaves(value: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Dotted names of all fields that hold no further fields."""
    found: set[str] = set()
    for name, inner in value.items():
        path = f"{prefix}{name}"
        found |= leaves(inner, f"{path}.") if isinstance(inner, dict) and inner else {path}
    return found


def test_every_field_of_the_spec_is_in_the_form() -> None:
    spec = JobSpec.model_validate_json(json.dumps({**SPEC, "method": {"name": "none"}})).model_dump(mode="json")
    shown = {one.path for controls in spec_form().parts.values() for one in controls} | CHOSEN
    assert leaves(spec) - shown == {"method.name"}


def test_every_method_has_its_fields() -> None:
    assert {one.name for one in spec_form().methods} == set(METHODS)
    for method in spec_form().methods:
        assert {one.path for one in method.controls} == {
            f"method.{name}" for name in METHODS[method.name].model_fields if name != "name"
        }


def test_a_control_shows_the_default_and_what_may_be_chosen() -> None:
    controls = {one.path: one for part in spec_form().parts.values() for one in part}
    assert (controls["schedule.batch_size"].kind, controls["schedule.batch_size"].shown) == ("number", "auto")
    assert (controls["schedule.image_size"].kind, controls["schedule.image_size"].shown) == ("pair", "320x240")
    assert controls["schedule.precision"].options == ("auto", "fp32", "bf16")
    assert (controls["baseline"].kind, controls["baseline"].shown) == ("switch", "true")
    assert controls["exports"].kind == "choices"
    assert controls["schedule.epochs"].minimum == 1
    assert controls["schedule.weight_decay"].shown == "0.0005"


def test_a_clone_keeps_what_is_no_default_and_is_a_spec_again() -> None:
    whole = JobSpec.model_validate_json(json.dumps(SPEC))
    kept = as_new(Job(name="cells", spec=whole.model_dump(mode="json")))
    assert kept == {**SPEC, "name": "cells, again"}
    assert JobSpec.model_validate_json(json.dumps(kept)).schedule == whole.schedule


def test_a_side_that_begins_with_a_model_leaves_its_detector_to_it() -> None:
    spec = {**SPEC, "teacher": {"model": "mdl_1", "detector": "shuffledet-1x", "init": "file", "epochs": 0}}
    whole = JobSpec.model_validate_json(json.dumps(spec)).model_dump(mode="json")
    assert as_new(Job(name="cells", spec=whole))["teacher"] == {"model": "mdl_1", "epochs": 0}


def test_a_spec_of_another_version_is_shown_as_it_was() -> None:
    old = {**SPEC, "gone": 1}
    assert as_new(Job(name="cells", spec=old)) == {**old, "name": "cells, again"}


def test_splits_are_guessed_where_the_usual_names_are_not_there() -> None:
    assert guessed_splits(["trainval", "test", "val"]) == {}
    assert guessed_splits(["train", "val"]) == {"train": "train", "val": "val"}
    assert guessed_splits(["train2017", "val2017"]) == {"train": "train2017", "val": "val2017"}
    assert guessed_splits(["mine"]) == {}


def test_a_model_takes_the_detector_s_place() -> None:
    assert fresh(None, "mdl_1", "", ("big", "small")) == {
        "name": "",
        "dataset": {},
        "teacher": {"model": "mdl_1"},
        "student": {"detector": "small"},
    }

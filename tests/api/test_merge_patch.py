from api.merge_patch import apply

SPEC = {"name": "cells", "method": {"name": "fine-grained", "threshold": 0.5}, "schedule": {"epochs": 3, "seed": 1}}


def test_objects_are_merged_and_all_else_replaced() -> None:
    changed = apply(SPEC, {"name": "other", "schedule": {"epochs": 9}})
    assert (changed["name"], changed["schedule"]) == ("other", {"epochs": 9, "seed": 1})


def test_null_removes_a_field() -> None:
    assert apply(SPEC, {"schedule": {"epochs": None, "absent": None}})["schedule"] == {"seed": 1}


def test_another_method_brings_none_of_the_old_ones_fields() -> None:
    assert apply(SPEC, {"method": {"name": "none"}})["method"] == {"name": "none"}
    assert apply(SPEC, {"method": {"threshold": 0.7}})["method"] == {"name": "fine-grained", "threshold": 0.7}


def test_the_document_itself_stays_as_it_is() -> None:
    before = {"schedule": {"epochs": 3}}
    apply(before, {"schedule": {"epochs": 9}})
    assert before == {"schedule": {"epochs": 3}}

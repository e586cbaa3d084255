from typing import Any

from client.commands.compare import differences
from client.models import Job

FIELDS = {"id": "job_1", "name": "a", "state": "succeeded", "dataset_id": "ds_1", "created_at": "2030-01-01T00:00:00Z"}


def job(**spec: Any) -> Job:
    return Job.model_validate({**FIELDS, "spec": spec})


def test_only_what_differs_is_listed_with_its_value_in_each() -> None:
    one = job(name="a", schedule={"epochs": 3, "seed": 0}, exports=["onnx"])
    two = job(name="b", schedule={"epochs": 6, "seed": 0}, exports=["onnx"])

    assert differences([one, two]) == {"schedule.epochs": [3, 6]}


def test_a_field_that_one_has_not_is_a_difference() -> None:
    assert differences([job(method={"name": "pkd"}), job(method={"name": "hint", "threshold": 0.5})]) == {
        "method.name": ["pkd", "hint"],
        "method.threshold": [None, 0.5],
    }


def test_equal_specs_differ_in_nothing() -> None:
    assert differences([job(seeds=[0]), job(seeds=[0])]) == {}

"""The JSON schema of a spec, from which forms are built."""

from collections.abc import Iterator
from typing import Any

from fgfi_core.spec import DETECTORS, METHODS, JobSpec

SCHEMA = JobSpec.model_json_schema()


def fields() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, model in {"JobSpec": SCHEMA, **SCHEMA["$defs"]}.items():
        for field, schema in model.get("properties", {}).items():
            yield f"{name}.{field}", schema


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    return {**SCHEMA["$defs"].get(reference, {}), **schema}


def test_every_field_has_a_title_and_says_what_it_is() -> None:
    mute = [name for name, schema in fields() if "const" not in schema and "description" not in resolved(schema)]
    untitled = [name for name, schema in fields() if "title" not in resolved(schema) and "oneOf" not in schema]
    assert (mute, untitled) == ([], ["JobSpec.metadata"] if "title" not in SCHEMA["properties"]["metadata"] else [])


def test_detectors_and_methods_can_be_chosen_from_lists() -> None:
    for side in ("Teacher", "Student"):
        assert SCHEMA["$defs"][side]["properties"]["detector"]["enum"] == list(DETECTORS)
    assert set(SCHEMA["properties"]["method"]["discriminator"]["mapping"]) == set(METHODS)


def test_numbers_that_have_a_unit_say_it() -> None:
    units = {name.partition(".")[2]: schema["unit"] for name, schema in fields() if "unit" in schema}
    assert units["image_size"] == "pixels"
    assert units["checkpoint_seconds"] == "seconds"
    assert units["evaluate_every"] == "epochs"

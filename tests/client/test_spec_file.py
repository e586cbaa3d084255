from pathlib import Path

import pytest

from client import spec_file
from client.errors import EXIT_USAGE, ClientError
from fgfi_core.spec import DETECTORS

NAME = next(iter(DETECTORS))
GOOD = f"""
name: cells
dataset: {{train: trainval, val: test}}
teacher: {{detector: {NAME}}}
student: {{detector: {NAME}}}
"""
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))


def read(tmp_path: Path, text: str) -> ClientError:
    """The error that reading this text raises."""
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(ClientError) as caught:
        spec_file.read(path)
    assert caught.value.exit_code == EXIT_USAGE
    return caught.value


def test_a_good_spec_is_read(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(GOOD)

    assert spec_file.read(tmp_path / "job.yaml").student.detector == NAME


def test_a_data_set_from_the_command_line_takes_the_place_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(GOOD)

    assert spec_file.read(tmp_path / "job.yaml", dataset="ds_1").dataset.id == "ds_1"


def test_a_wrong_detector_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    error = read(tmp_path, GOOD.replace(f"student: {{detector: {NAME}", f"student: {{detector: {NAME}x"))

    assert error.message.endswith("job.yaml has one mistake")
    assert len(error.hints) == 1
    assert error.hints[0].startswith(f"student.detector: there is no detector '{NAME}x'. Did you mean '{NAME}'?")


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    error = read(tmp_path, "name: cells\ndataset: {}\nteacher: {}\nschedule: {epochs: 0}\nstudnet: {}\n")

    assert error.message.endswith("4 mistakes")
    places = {hint.split(":")[0] for hint in error.hints}
    assert places == {"teacher.detector", "student", "schedule.epochs", "studnet"}


def test_a_value_that_may_be_of_two_kinds_is_one_mistake_at_the_name_that_was_written(tmp_path: Path) -> None:
    error = read(tmp_path, GOOD + "schedule: {learning_rate: .nan}\nmethod: {name: fine-grained, threshold: .inf}\n")

    assert error.hints == (
        "method.threshold: should be a finite number.",
        "schedule.learning_rate: should be a finite number or should be 'auto'.",
    )


def test_a_misspelt_field_is_told_what_was_meant(tmp_path: Path) -> None:
    error = read(tmp_path, GOOD + "schedul: {epochs: 3}\n")

    assert error.hints == ("schedul: is not a field here. Did you mean 'schedule'?",)


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    error = read(tmp_path, "")

    assert "job.yaml is empty" in error.message
    assert "name, dataset, teacher and student" in error.hints[0]


def test_yaml_that_cannot_be_parsed_is_named_with_its_line(tmp_path: Path) -> None:
    assert "job.yaml:2 is not YAML or JSON" in read(tmp_path, "name: cells\n\tschedule: 3\n").message


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list"])
def test_what_is_no_mapping_is_no_spec(tmp_path: Path, text: str) -> None:
    assert "it must be a mapping of fields" in read(tmp_path, text).message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"there is no file .*absent\.yaml"):
        spec_file.read(tmp_path / "absent.yaml")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_good_spec(path: Path) -> None:
    assert spec_file.read(path).name


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"bccd", "kitti-toy"}

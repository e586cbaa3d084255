"""`fgfi groups` and `fgfi submit-all` against the application on real PostgreSQL."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from client.errors import EXIT_REFUSED, EXIT_USAGE
from fgfi_core.spec import JobSpec

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(job_spec: JobSpec, tmp_path: Path) -> Path:
    path = tmp_path / "job.json"
    path.write_text(job_spec.model_dump_json())
    return path


def test_a_comparison_is_made_shown_cancelled_and_deleted(fgfi: Run, file: Path) -> None:
    code, out, err = fgfi("groups", "create", file, "--vary", "method.threshold=0.3,0.7", "--name", "psi", "--json")
    assert code == 0, err
    made = json.loads(out)
    code, out, _ = fgfi("groups", "show", made["id"])
    assert out.startswith(f"psi  {made['id']}  2 queued\n")
    assert "method.threshold=0.3  job_" in out
    assert made["id"] in fgfi("groups", "list")[1]
    listed = json.loads(fgfi("jobs", "--group", made["id"], "--json")[1])
    assert {job["arm"] for job in listed} == {"method.threshold=0.3", "method.threshold=0.7"}
    assert fgfi("groups", "delete", made["id"])[0] == EXIT_REFUSED
    assert "2 cancelled" in fgfi("groups", "cancel", made["id"])[1]
    assert fgfi("groups", "delete", made["id"])[:2] == (0, f"{made['id']} is deleted\n")


def test_nothing_that_varies_is_nothing_to_compare(fgfi: Run, file: Path) -> None:
    code, _, err = fgfi("groups", "create", file)
    assert (code, "there is nothing to compare" in err) == (EXIT_USAGE, True)


def test_several_specs_are_queued_at_once_and_a_refused_one_is_told(fgfi: Run, file: Path, job_spec: JobSpec) -> None:
    lost = file.with_name("lost.json")
    lost.write_text(json.dumps(job_spec.model_dump(mode="json") | {"dataset": {"id": "ds_gone"}}))
    code, out, err = fgfi("submit-all", file, lost)
    assert code == EXIT_REFUSED
    assert "job.json   job_" in out
    assert "There is no data set 'ds_gone'." in out
    assert "1 of 2 jobs were refused" in err

"""Curves that are handed over to TensorBoard and MLflow, read back by their own readers."""

from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from client import mlflow_runs, tensorboard_files
from client.curves import Curve
from client.models import Job
from tests.client.test_fetching import MakeService

CURVES = [
    Curve("baseline", 0, "loss", (1, 2, 3), (3.0, 2.0, 1.5)),
    Curve("imitation", 0, "loss", (1, 2, 3), (2.5, 1.5, 1.0)),
    Curve("imitation", 0, "val/map50", (3,), (0.5,)),
]
JOB = Job.model_validate(
    {
        "id": "job_1",
        "name": "cells",
        "state": "succeeded",
        "dataset_id": "ds_1",
        "created_at": "2030-01-01T00:00:00Z",
        "finished_at": "2030-01-01T01:00:00Z",
        "scores": {"teacher": 0.75, "imitated": 0.5},
        "spec": {"schedule": {"epochs": 3}, "method": {"name": "fine-grained"}},
    }
)


def scalars(folder: Path, name: str) -> list[tuple[int, float, float]]:
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return [(one.step, one.value, one.wall_time) for one in reader.Scalars(name)]


def test_tensorboard_reads_each_training_as_a_run_of_its_own(tmp_path: Path) -> None:
    assert tensorboard_files.write(tmp_path, CURVES, when=1000.0) == 3

    assert {folder.name for folder in tmp_path.iterdir()} == {"baseline-0", "imitation-0"}
    assert scalars(tmp_path / "baseline-0", "loss") == [(1, 3.0, 1000.0), (2, 2.0, 1000.0), (3, 1.5, 1000.0)]
    assert scalars(tmp_path / "imitation-0", "val/map50") == [(3, 0.5, 1000.0)]


def test_what_a_run_says_is_written_while_it_says_it(tmp_path: Path) -> None:
    with tensorboard_files.EventFiles(tmp_path) as files:
        files.add_event("stage_started", {"stage": "teacher", "seed": 1})
        files.add_event("metrics", {"stage": "teacher", "seed": 1, "step": 7, "values": {"loss": 0.25}})

    assert [(step, value) for step, value, _ in scalars(tmp_path / "teacher-1", "loss")] == [(7, 0.25)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # MLflow's own
def test_mlflow_reads_the_spec_the_scores_and_the_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"sqlite:///{tmp_path}/runs.db"
    monkeypatch.chdir(tmp_path)

    run_id = mlflow_runs.write(uri, JOB, CURVES)

    client = MlflowClient(tracking_uri=uri)
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status, run.data.tags["fgfi.job"]) == ("cells", "FINISHED", "job_1")
    assert run.data.params == {"schedule.epochs": "3", "method.name": "fine-grained"}
    assert (run.data.metrics["best/teacher"], run.data.metrics["best/imitated"]) == (0.75, 0.5)
    history = client.get_metric_history(run_id, "imitation-0/loss")
    assert [(one.step, one.value) for one in history] == [(1, 2.5), (2, 1.5), (3, 1.0)]


def test_points_without_a_finite_value_are_left_out(make_service: MakeService) -> None:
    series = {"stage": "teacher", "seed": 0, "name": "loss", "steps": [1, 2, 3], "values": [1.0, None, 0.5]}

    (curve,) = make_service(lambda _: httpx.Response(200, json={"series": [series]})).curves("job_1")

    assert list(curve.points()) == [(1, 1.0), (3, 0.5)]

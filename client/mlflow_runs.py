"""A job as a run of MLflow: its spec as parameters, its scores and curves as metrics."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from client.curves import Curve, missing
from client.errors import ClientError
from client.models import Job
from client.spec_fields import flat

EXPERIMENT = "fgfi"
# What MLflow takes in one request, and how long a parameter may be.
_BATCH = 1000
_LONGEST = 6000


def write(uri: str | None, job: Job, curves: Iterable[Curve], experiment: str = EXPERIMENT) -> str:
    """Make the run; returns its id. uri: the tracking server's, or as MLFLOW_TRACKING_URI says. Raises ClientError."""
    try:
        from mlflow import MlflowClient, MlflowException  # noqa: PLC0415 - an extra, needed here alone
        from mlflow.entities import Metric, Param  # noqa: PLC0415
    except ImportError as error:
        raise missing("mlflow", "mlflow") from error
    began = _milliseconds(job.started_at or job.created_at)
    try:
        client = MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(experiment)
        home = found.experiment_id if found else client.create_experiment(experiment)
        run = client.create_run(home, start_time=began, run_name=job.name, tags={"fgfi.job": job.id})
        spec = (job.model_extra or {}).get("spec") or {}
        client.log_batch(run.info.run_id, params=[Param(path, str(value)[:_LONGEST]) for path, value in flat(spec)])
        scores = ((name, value) for name, value in job.scores.model_dump().items() if value is not None)
        metrics = [Metric(f"best/{name}", value, began, 0) for name, value in scores]
        drawn = (Metric(_name(c), value, began, step) for c in curves for step, value in c.points())
        for batch in _batches(iter([*metrics, *drawn])):
            client.log_batch(run.info.run_id, metrics=batch)
        ended = _milliseconds(job.finished_at) if job.finished_at else None
        client.set_terminated(run.info.run_id, "FINISHED" if job.state == "succeeded" else "FAILED", ended)
    except MlflowException as error:
        raise ClientError(f"MLflow did not take it: {error}", hints=("is the address right? --mlflow URI",)) from error
    return str(run.info.run_id)


def _name(curve: Curve) -> str:
    return f"{curve.training}/{curve.name}"


def _milliseconds(time: Any) -> int:
    return int(time.timestamp() * 1000)


def _batches(metrics: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(metrics, _BATCH)):
        yield batch

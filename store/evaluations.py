"""Jobs that only measure: a registered model on a data set. What can be done to them later stands in `jobs.py`."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from fgfi_core.spec.evaluation import EvaluationSpec
from store import datasets, idempotency, job_models, jobs, limits
from store.errors import NotFound
from store.idempotency import Idempotency
from store.jobs import Created, NewJob
from store.queues import Placing
from store.tables import Job

ANYWHERE = Placing()


def create(
    session: Session,
    project_id: str,
    spec: EvaluationSpec,
    once: Idempotency | None = None,
    placing: Placing = ANYWHERE,
) -> Created:
    """Make an evaluation in the caller's one transaction.

    Raises NotFound, DatasetNotReady or NoSuchSplit for the data set, ModelMismatch for the model, what the project's
    limits raise, IdempotencyMismatch, IdempotencyInFlight.
    """
    if once is not None:
        earlier = idempotency.find(session, project_id, once)
        if earlier is not None:
            return Created(get(session, project_id, earlier), replayed=True)
    limits.require_job(session, project_id)
    dataset = datasets.ready(session, project_id, spec.dataset.id)
    datasets.require_split(dataset, "dataset.split", spec.dataset.split)
    model = job_models.for_evaluation(session, project_id, spec.model, dataset)
    new = NewJob(spec.name, spec.model_dump(mode="json"), dataset.id, "evaluation")
    job = jobs.enqueue(session, project_id, new, placing)
    job_models.link_one(session, job.id, model.id)
    if once is not None:
        idempotency.remember(session, project_id, once, job.id)
    return Created(job, replayed=False)


def get(session: Session, project_id: str, job_id: str) -> Job:
    """One evaluation. Raises NotFound, also for a job of another kind."""
    job = session.scalar(select(Job).where(Job.id == job_id, Job.project_id == project_id, Job.kind == "evaluation"))
    if job is None:
        raise NotFound(f"there is no evaluation '{job_id}'", hint="GET /v1/evaluations lists what there is.")
    return job

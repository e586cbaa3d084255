"""/v1/jobs/{id}/artifacts, checkpoints and report: what a job wrote."""

from collections.abc import Sequence

from fastapi import APIRouter

from api.deps import Reader, SessionDep
from api.problems import responses
from api.schemas.artifacts import ArtifactOut, ArtifactsOut, CheckpointOut, CheckpointsOut, ReportOut
from store import artifacts, checkpoints, jobs
from store.tables import Artifact

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["jobs"])

EVALUATION, CARD, BUNDLE = "evaluation.json", "model_card.md", "bundle.zip"


@router.get("/artifacts", response_model=ArtifactsOut, responses=responses(401, 403, 404))
def list_artifacts(job_id: str, principal: Reader, session: SessionDep) -> ArtifactsOut:
    """The job's files by name, each as the newest attempt wrote it."""
    return ArtifactsOut(
        data=[ArtifactOut.of(row) for row in artifacts.list_newest(session, principal.project_id, job_id)]
    )


@router.get("/checkpoints", response_model=CheckpointsOut, responses=responses(401, 403, 404))
def list_checkpoints(job_id: str, principal: Reader, session: SessionDep) -> CheckpointsOut:
    """The states that the job can go on from."""
    rows = checkpoints.list_all(session, principal.project_id, job_id)
    return CheckpointsOut(data=[CheckpointOut.of(row) for row in reversed(rows)])


@router.get("/report", response_model=ReportOut, responses=responses(401, 403, 404))
def get_report(job_id: str, principal: Reader, session: SessionDep) -> ReportOut:
    """The job's result, and where its report, measurements, model card and bundle are."""
    job = jobs.get(session, principal.project_id, job_id)
    files = artifacts.list_newest(session, principal.project_id, job_id)
    return ReportOut(
        result=job.result,
        page=_file(files, suffix=".html"),
        evaluation=_file(files, suffix=EVALUATION),
        card=_file(files, suffix=CARD),
        bundle=_file(files, suffix=BUNDLE),
    )


def _file(files: Sequence[Artifact], suffix: str) -> ArtifactOut | None:
    return next((ArtifactOut.of(row) for row in files if row.name.endswith(suffix)), None)

"""One thing of each kind in a project, by the name that paths have for its id."""

from datetime import timedelta

from sqlalchemy.orm import Session

from fgfi_core.spec import JobSpec
from fgfi_core.spec.evaluation import EvaluationSpec
from store import artifacts, datasets, evaluations, exports, groups, ids, jobs, keys, leases, logins, uploads, webhooks
from store.artifacts import NewArtifact
from store.attempts import Trace, fail
from store.groups import Arm, NewGroup
from store.objects import ObjectStore
from store.principal import Principal
from store.queues import Placing
from store.settings import Settings
from store.tables import Model
from store.uploads import Asked, Limits
from tests.integration.api.authorisation import Ids, spec

HOUR = timedelta(hours=1)
LARGE = 2**30


def make(session: Session, objects: ObjectStore, settings: Settings, project_id: str) -> Ids:
    """Make one of each. The job has failed, and left an artifact; the upload has one part of 22 bytes to come."""
    dataset = datasets.begin(session, project_id, "matrix")
    dataset.size, dataset.sha256, dataset.state = 0, "0" * 64, "ready"
    session.flush()
    export = exports.create(session, project_id, dataset.id, "voc", HOUR)
    wanted = JobSpec.model_validate(spec({"dataset_id": dataset.id}))
    job = jobs.create(session, project_id, wanted).job
    claim = leases.claim(session, job.id, worker_id="worker-1", lease=HOUR, device="cpu")
    assert claim is not None
    stored = objects.put(f"jobs/{job.id}/student.onnx", [b"student"])
    new = NewArtifact("student.onnx", "onnx", "x/student.onnx", stored.key, "application/x", 7, stored.sha256, {})
    artifact = artifacts.publish(session, claim.lease, new)
    fail(session, claim.lease, {"code": "x", "message": "it broke", "hint": ""}, Trace("it broke"))
    group = groups.create(session, project_id, NewGroup("matrix", wanted, [Arm("a", {}, wanted, Placing())]))
    groups.cancel(session, project_id, group.id)
    upload = uploads.begin(
        session, project_id, Asked("m", 22, "application/zip", None), Limits(LARGE, LARGE, None, HOUR)
    )
    uploads.opened(session, upload.id, objects.parts.begin(upload.object_key))
    key = keys.create(session, project_id, "matrix", ["read"], settings.secret_key).row
    browser = logins.open_session(session, Principal(project_id, frozenset({"read"}), key.id), HOUR)
    measured = {"name": "matrix", "model": _model(session, objects, project_id), "dataset": {"id": dataset.id}}
    evaluation = evaluations.create(session, project_id, EvaluationSpec.model_validate(measured)).job
    for earlier in webhooks.list_all(session, project_id):  # A project may have but a few.
        webhooks.delete(session, project_id, earlier.id)
    hook = webhooks.create(session, project_id, "https://example.com/hooks", ["job.failed"])
    delivery = webhooks.try_out(session, project_id, hook.id)
    return {
        "dataset_id": dataset.id,
        "export_id": export.id,
        "job_id": job.id,
        "other_job_id": groups.jobs_of(session, group)[0].id,
        "artifact_id": artifact.id,
        "group_id": group.id,
        "upload_id": upload.id,
        "model_id": _model(session, objects, project_id),
        "evaluation_id": evaluation.id,
        "key_id": key.id,
        "session_id": browser.id,
        "project_id": project_id,
        "number": "1",
        "action": "retry",
        "code": "not_found",
        "webhook_id": hook.id,
        "delivery_id": delivery.id,
    }


def _model(session: Session, objects: ObjectStore, project_id: str) -> str:
    identity = ids.new("mdl")
    stored = objects.put(f"models/{identity}/weights", [b"weights"])
    session.add(
        Model(
            id=identity,
            project_id=project_id,
            name="matrix",
            state="ready",
            detector="ssd-shufflenetv2-0.25x",
            classes=["cell"],
            image_size=[320, 240],
            anchor_shapes=[],
            object_key=stored.key,
            size=stored.size,
            sha256=stored.sha256,
        )
    )
    session.flush()
    return identity

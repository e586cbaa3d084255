"""/v1/detectors, /v1/methods and /v1/schemas: what a spec may say."""

import inspect
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import RootModel

from api import etag
from api.deps import Reader
from api.problems import responses
from api.schemas.catalogue import DetectorOut, DetectorsOut, MethodOut, MethodsOut
from fgfi_core.spec import DETECTORS, METHODS, JobSpec
from fgfi_core.spec.methods import FineGrainedSoftLabel, SoftLabel

router = APIRouter(prefix="/v1", tags=["catalogue"], responses=responses(401, 403))


@router.get("/detectors", response_model=DetectorsOut)
def list_detectors(_: Reader) -> DetectorsOut:
    """The detectors, with their sizes."""
    return DetectorsOut(data=[DetectorOut(**asdict(info)) for info in DETECTORS.values()])


@router.get("/methods", response_model=MethodsOut)
def list_methods(_: Reader) -> MethodsOut:
    """The distillation methods, each with the JSON schema of its fields."""
    return MethodsOut(
        data=[
            MethodOut(
                name=name,
                description=inspect.getdoc(model) or "",
                fields=model.model_json_schema(),
                compares_classes=issubclass(model, SoftLabel | FineGrainedSoftLabel),
            )
            for name, model in METHODS.items()
        ]
    )


@router.get("/schemas/job", response_model=dict[str, Any], responses=etag.UNCHANGED)
def get_job_schema(_: Reader, request: Request) -> Response:
    """The JSON schema of a job spec: titles, descriptions, defaults, bounds, and `unit` where a number has one.

    What it cannot say (that a pair fits, that splits differ) `POST /v1/jobs?dry_run=true` checks.
    """
    return etag.answer(request, _JobSchema(JobSpec.model_json_schema()))


class _JobSchema(RootModel[dict[str, Any]]):
    """A JSON schema as an answer."""

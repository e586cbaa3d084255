"""/v1/detectors and /v1/methods: what a spec may name."""

import inspect
from dataclasses import asdict

from fastapi import APIRouter

from api.deps import Reader
from api.problems import responses
from api.schemas.catalogue import DetectorOut, DetectorsOut, MethodOut, MethodsOut
from fgfi_core.spec import DETECTORS, METHODS

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
            MethodOut(name=name, description=inspect.getdoc(model) or "", fields=model.model_json_schema())
            for name, model in METHODS.items()
        ]
    )

"""The models of a service: weights that jobs can begin with."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.errors import EXIT_JOB_FAILED, ClientError
from client.http import Http
from client.models import Model

_CHECK_PAUSE = 0.5
_CHUNK = 1 << 18
_SHOWN = 20


@dataclass(frozen=True)
class Declared:
    """What a file is of, as far as it does not say so itself. Sizes as text, such as 320x240, in pixels."""

    detector: str | None = None
    classes: Sequence[str] = ()
    image_size: str | None = None
    anchors: Sequence[str] = ()

    def query(self) -> dict[str, str | list[str]]:
        """As the service is asked."""
        every: dict[str, str | list[str] | None] = {
            "detector": self.detector,
            "class": list(self.classes),
            "image_size": self.image_size,
            "anchor": list(self.anchors),
        }
        return {name: value for name, value in every.items() if value}


NOTHING = Declared()


def _ignore(_count: int) -> None:
    """Nobody watches the bytes."""


class Registry:
    """Every method raises ClientError when the service refuses or cannot be reached."""

    def __init__(self, http: Http, pages: Callable[[str], Iterator[Any]], sleep: Callable[[float], None]) -> None:
        self._http = http
        self._pages = pages
        self._sleep = sleep

    def list(self) -> list[Model]:
        """All models, newest first."""
        return [Model.model_validate(item) for item in self._pages("/v1/models")]

    def get(self, model_id: str) -> Model:
        """One model."""
        return Model.model_validate(self._http.get(f"/v1/models/{model_id}"))

    def add(
        self,
        path: Path,
        name: str | None = None,
        declared: Declared = NOTHING,
        on_bytes: Callable[[int], None] = _ignore,
    ) -> Model:
        """Upload a safetensors file. The service checks it afterwards: see `checked`."""
        query: dict[str, str | list[str]] = {"name": name or path.stem, **declared.query()}
        content = _read(path, on_bytes)
        return Model.model_validate(self._http.upload("/v1/models", content, "application/octet-stream", query))

    def from_job(self, job_id: str, role: str, name: str | None = None) -> Model:
        """Register a job's `teacher` or `student`. The service checks it afterwards: see `checked`."""
        body = {"from_job": job_id, "role": role, **({"name": name} if name else {})}
        return Model.model_validate(self._http.post("/v1/models", body))

    def checked(self, model: Model) -> Model:
        """Wait until a model was checked. Raises ClientError when it was rejected."""
        while model.state in {"uploading", "checking"}:
            self._sleep(_CHECK_PAUSE)
            model = self.get(model.id)
        if model.state == "rejected":
            raise _rejected(model)
        return model

    def delete(self, model_id: str) -> None:
        """Delete a model that no job waits for."""
        self._http.delete(f"/v1/models/{model_id}")


def differences(report: dict[str, Any]) -> Iterator[str]:
    """Each tensor that does not fit, as a line."""
    for name in report.get("missing") or ():
        yield f"{name}: missing"
    for one in report.get("wrong_shape") or ():
        yield f"{one['name']}: is {one['found']} and should be {one['expected']}"
    for name in report.get("unexpected") or ():
        yield f"{name}: not one of the detector's"
    for name in report.get("not_finite") or ():
        yield f"{name}: holds values that are no finite numbers"


def _read(path: Path, on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            on_bytes(len(chunk))
            yield chunk


def _rejected(model: Model) -> ClientError:
    trouble = model.error
    message = trouble.message if trouble and trouble.message else "the service did not accept it"
    hints = [trouble.hint] if trouble and trouble.hint else []
    hints += list(differences(model.report or {}))[:_SHOWN]
    return ClientError(
        f"model '{model.name}' was rejected: {message}",
        hints=tuple(hints),
        exit_code=EXIT_JOB_FAILED,
        code=trouble.code if trouble else "",
    )

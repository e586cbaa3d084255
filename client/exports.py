"""Data sets in another format, made by the service.

made = service.exports.ready(service.exports.create(dataset.id, "coco"))
service.exports.download(made, Path("cells-coco.zip"))
"""

from collections.abc import Callable
from pathlib import Path

from client.errors import EXIT_JOB_FAILED, ClientError
from client.fetching import Fetch
from client.http import Http
from client.models import Artifact, Export

_PAUSE = 0.5


def _ignore(_count: int) -> None:
    """Nobody watches the bytes."""


class Exports:
    """Every method raises ClientError when the service refuses or cannot be reached."""

    def __init__(self, http: Http, url: str, sleep: Callable[[float], None]) -> None:
        self._http = http
        self._url = url
        self._sleep = sleep

    def create(self, dataset_id: str, format_name: str) -> Export:
        """Ask for a data set as `voc`, `coco`, `kitti` or `yolo`; asked again, the same export. See `ready`."""
        return Export.model_validate(self._http.post(f"/v1/datasets/{dataset_id}/exports", {"format": format_name}))

    def list(self, dataset_id: str) -> list[Export]:
        """A data set's, newest first."""
        return [Export.model_validate(one) for one in self._http.get(f"/v1/datasets/{dataset_id}/exports")["data"]]

    def get(self, dataset_id: str, export_id: str) -> Export:
        """One of them."""
        return Export.model_validate(self._http.get(f"/v1/datasets/{dataset_id}/exports/{export_id}"))

    def ready(self, export: Export) -> Export:
        """Wait until an export is made. Raises ClientError when it failed."""
        while export.state in {"queued", "running"}:
            self._sleep(_PAUSE)
            export = self.get(export.dataset_id, export.id)
        if export.state == "failed":
            trouble = export.error
            raise ClientError(
                trouble.message if trouble and trouble.message else f"export {export.id} failed",
                hints=(trouble.hint,) if trouble and trouble.hint else (),
                exit_code=EXIT_JOB_FAILED,
                code=trouble.code if trouble else "",
            )
        return export

    def download(self, export: Export, path: Path, on_bytes: Callable[[int], None] = _ignore) -> Path:
        """Write the archive (zip) of a ready export to `path`, whole and verified or not at all."""
        if export.content is None or export.size is None or export.sha256 is None:
            raise ClientError(f"export {export.id} is {export.state}, not ready", exit_code=EXIT_JOB_FAILED)
        file = Artifact(
            id=export.id,
            name=path.name,
            format="zip",
            size=export.size,
            sha256=export.sha256,
            content=export.content,
        )
        return Fetch(self._http, self._url, file, on_bytes, self._sleep).to(path)

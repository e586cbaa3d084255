"""The service as a Python object; the `fgfi` command uses nothing else.

with Fgfi.connect() as service:
    dataset = service.add_dataset(Path("cells"))
    job = service.submit({..., "dataset": {"id": dataset.id}})
    for event in service.follow(job.id):
        print(event.kind, event.data)
    service.download(service.artifacts(job.id)[0], Path("student"))
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from client import archive, connection, parted
from client.connection import Connection
from client.curves import MOST_POINTS, Curve, curve_of
from client.errors import ClientError
from client.exports import Exports
from client.fetching import Fetch
from client.following import Following
from client.groups import Groups
from client.http import Http, with_query
from client.keys import Keys
from client.models import Artifact, Dataset, Detector, DryRun, Job, Measured, StreamEvent, Submitted, Thumbnail
from client.parted import Watch
from client.registry import Registry
from client.rejection import rejected
from client.sources import Source

_PAGE = 100
_CHECK_PAUSE = 0.5


def _ignore(_count: int) -> None:
    """Nobody watches the bytes."""


def _say_nothing(_line: str) -> None:
    """Nobody reads it."""


class Fgfi:
    """A connection to one service. Every method raises ClientError when the service refuses or cannot be reached."""

    def __init__(self, http: Http, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url
        self._http = http
        self._sleep = sleep

    @classmethod
    def connect(cls, data: Path | None = None) -> Self:
        """Find the service by the environment, or by the data folder of `fgfi up` on this machine."""
        return cls.of(connection.find(data))

    @classmethod
    def of(cls, found: Connection) -> Self:
        """The service at a known address."""
        return cls(Http(found), found.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def detectors(self) -> list[Detector]:
        """The service's catalogue."""
        return [Detector.model_validate(item) for item in self._http.get("/v1/detectors")["data"]]

    def datasets(self) -> list[Dataset]:
        """All data sets, newest first."""
        return [Dataset.model_validate(item) for item in self._pages("/v1/datasets")]

    def dataset(self, dataset_id: str) -> Dataset:
        """One data set."""
        return Dataset.model_validate(self._http.get(f"/v1/datasets/{dataset_id}"))

    def revisions(self, dataset_id: str) -> list[Dataset]:
        """What was uploaded under a data set's name, newest first."""
        return [Dataset.model_validate(one) for one in self._http.get(f"/v1/datasets/{dataset_id}/revisions")["data"]]

    def thumbnails(self, dataset_id: str) -> list[Thumbnail]:
        """Small pictures of a checked data set, with their boxes."""
        path = f"/v1/datasets/{dataset_id}/thumbnails"
        return [Thumbnail.model_validate(one) for one in self._http.get(path)["data"]]

    def add_dataset(
        self,
        path: Path,
        name: str | None = None,
        on_bytes: Callable[[int], None] = _ignore,
        on_read: Callable[[int], None] = _ignore,
        say: Callable[[str], None] = _say_nothing,
    ) -> Dataset:
        """Upload a folder or an archive. The service checks it afterwards: see `checked`.

        A large one goes in parts, and goes on where an earlier call broke off; content that the project has already is
        not sent again, and its data set returned. on_bytes: counts to `archive.counted`; on_read: likewise, while the
        whole is read before it is sent in parts. say: is told that it goes on or is there, as a line.
        """
        kind = archive.media_type(path)
        source = archive.parted(path)
        if source is not None:
            try:
                return self.add_source(source, name or path.resolve().name, Watch(on_read, on_bytes, say))
            except ClientError as error:
                if error.code != "no_parts":
                    raise
        called = name or path.resolve().name
        answer = self._http.upload("/v1/datasets", archive.read(path, on_bytes), kind, {"name": called})
        dataset = Dataset.model_validate(answer)
        if dataset.name != called:
            say(_known(dataset))
        return dataset

    def add_source(self, source: Source, name: str, watch: Watch) -> Dataset:
        """Upload an archive that can be read from anywhere, in parts."""
        upload = parted.send(self._http, source, name, watch, sleep=self._sleep)
        dataset = self.dataset(str(upload.dataset_id))
        if upload.deduplicated:
            watch.say(_known(dataset))
        return dataset

    def checked(self, dataset: Dataset) -> Dataset:
        """Wait until an upload was checked. Raises ClientError when it was rejected."""
        while dataset.state in {"uploading", "checking"}:
            self._sleep(_CHECK_PAUSE)
            dataset = self.dataset(dataset.id)
        if dataset.state == "rejected":
            raise rejected(dataset)
        return dataset

    @property
    def exports(self) -> Exports:
        """Data sets in another format."""
        return Exports(self._http, self.url, self._sleep)

    @property
    def models(self) -> Registry:
        """The registered models."""
        return Registry(self._http, self._pages, self._sleep)

    def submit(self, spec: dict[str, Any], priority: str | None = None, device_class: str | None = None) -> Job:
        """Create a job; asked again under the same key when the answer was lost, so never made twice.

        priority: low, normal, high. device_class: which workers may take it; default: by the spec's device.
        """
        path = with_query("/v1/jobs", priority=priority, device_class=device_class)
        return Job.model_validate(self._http.post(path, spec, idempotency_key=str(uuid.uuid4())))

    def submit_all(self, specs: Sequence[dict[str, Any]]) -> list[Submitted]:
        """Create several jobs, each made or refused by itself, none twice; at most 100."""
        body = {"jobs": [{"spec": spec} for spec in specs]}
        answer = self._http.post("/v1/jobs/bulk", body, idempotency_key=str(uuid.uuid4()))
        return [Submitted.model_validate(item) for item in answer["data"]]

    @property
    def groups(self) -> Groups:
        """Comparisons of several jobs."""
        return Groups(self._http, self._pages)

    @property
    def keys(self) -> Keys:
        """The project's API keys."""
        return Keys(self._http)

    def dry_run(self, spec: dict[str, Any], priority: str | None = None, device_class: str | None = None) -> DryRun:
        """What `submit` would make, and how long it would take; nothing is made."""
        path = with_query("/v1/jobs", dry_run="true", priority=priority, device_class=device_class)
        return DryRun.model_validate(self._http.post(path, spec))

    def jobs(
        self,
        states: list[str] | None = None,
        limit: int | None = None,
        group: str | None = None,
        *,
        detector: str | None = None,
        method: str | None = None,
        metadata: Sequence[str] = (),
    ) -> list[Job]:
        """Jobs, newest first; metadata: `key:value` each, of which all must hold."""
        every = {"state": states, "group": group, "detector": detector, "method": method, "metadata": [*metadata]}
        params: dict[str, str | int | list[str]] = {name: value for name, value in every.items() if value}
        return [Job.model_validate(item) for item in self._pages("/v1/jobs", params, limit)]

    def evaluate(self, spec: dict[str, Any], priority: str | None = None, device_class: str | None = None) -> Job:
        """Measure a registered model on a data set: a job that trains nothing (docs/jobs.md). Never made twice."""
        path = with_query("/v1/evaluations", priority=priority, device_class=device_class)
        return Job.model_validate(self._http.post(path, spec, idempotency_key=str(uuid.uuid4())))

    def evaluations(self, limit: int | None = None) -> list[Job]:
        """Jobs that only measure, newest first."""
        return [Job.model_validate(item) for item in self._pages("/v1/evaluations", None, limit)]

    def evaluation(self, job_id: str) -> Job:
        """One of them."""
        return Job.model_validate(self._http.get(f"/v1/evaluations/{job_id}"))

    def job(self, job_id: str) -> Job:
        """One job."""
        return Job.model_validate(self._http.get(f"/v1/jobs/{job_id}"))

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end; repeating is fine."""
        return Job.model_validate(self._http.post(f"/v1/jobs/{job_id}/cancel"))

    def pause(self, job_id: str) -> Job:
        """Ask a job to rest at its next checkpoint; repeating is fine."""
        return Job.model_validate(self._http.post(f"/v1/jobs/{job_id}/pause"))

    def resume(self, job_id: str) -> Job:
        """Queue a paused job; it goes on from its newest checkpoint."""
        return Job.model_validate(self._http.post(f"/v1/jobs/{job_id}/resume"))

    def retry(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again, with new budgets; it goes on from its newest checkpoint."""
        return Job.model_validate(self._http.post(f"/v1/jobs/{job_id}/retry"))

    def delete(self, job_id: str) -> None:
        """Delete a job that is over, with its files."""
        self._http.delete(f"/v1/jobs/{job_id}")

    def clone(self, job_id: str, changes: dict[str, Any] | None = None) -> Job:
        """Create a job with this one's spec; changes: a JSON merge patch of it. Never made twice."""
        key = str(uuid.uuid4())
        return Job.model_validate(self._http.post(f"/v1/jobs/{job_id}/clone", changes or {}, idempotency_key=key))

    def latest_metrics(self, job_id: str, names: tuple[str, ...] = ("loss", "val/map50")) -> list[Measured]:
        """The newest value of each of these metrics, by stage and seed."""
        params: dict[str, str | int | list[str]] = {"name": list(names), "max_points": 10}
        newest: dict[tuple[str, int], dict[str, float]] = {}
        for series in self._http.get(f"/v1/jobs/{job_id}/metrics", params)["series"]:
            if series["values"] and series["values"][-1] is not None:
                newest.setdefault((series["stage"], series["seed"]), {})[series["name"]] = series["values"][-1]
        return [Measured(stage=stage, seed=seed, values=values) for (stage, seed), values in newest.items()]

    def curves(self, job_id: str) -> list[Curve]:
        """Every metric of a job over its steps, thinned beyond `MOST_POINTS` points with every peak kept."""
        series = self._http.get(f"/v1/jobs/{job_id}/metrics", {"max_points": MOST_POINTS})["series"]
        return [curve_of(one) for one in series]

    def login_link(self) -> str:
        """A link that opens the dashboard once."""
        return str(self._http.post("/v1/login-links")["url"])

    def artifacts(self, job_id: str) -> list[Artifact]:
        """The files of a job."""
        return [Artifact.model_validate(item) for item in self._http.get(f"/v1/jobs/{job_id}/artifacts")["data"]]

    def download(self, artifact: Artifact, path: Path, on_bytes: Callable[[int], None] = _ignore) -> Path:
        """Write a file to `path`, whole and with the hash the service knows, or not at all; large ones in ranges."""
        return Fetch(self._http, self.url, artifact, on_bytes, self._sleep).to(path)

    def follow(self, job_id: str) -> Iterator[StreamEvent]:
        """The job's events from its first to its end; a stream that breaks off is taken up where it broke."""
        following = Following(self.url, job_id)
        while True:
            reason: httpx.TransportError | None = None
            try:
                with self._http.stream(following.path, following.headers()) as response:
                    for line in response.iter_lines():
                        if event := following.hear(line):
                            yield event
                # The service ends the stream after the job's last event, and before a restart of its own.
                if self.job(job_id).over:
                    return
            except httpx.TransportError as error:
                reason = error
            self._sleep(following.pause(reason))

    def _pages(
        self, path: str, params: dict[str, str | int | list[str]] | None = None, limit: int | None = None
    ) -> Iterator[Any]:
        asked: dict[str, str | int | list[str]] = {"limit": min(limit or _PAGE, _PAGE), **(params or {})}
        left = limit
        while True:
            answer = self._http.get(path, asked)
            for item in answer["data"]:
                if left == 0:
                    return
                left = None if left is None else left - 1
                yield item
            if not answer["has_more"]:
                return
            asked["cursor"] = answer["next_cursor"]


def _known(dataset: Dataset) -> str:
    return f"the service has this content already: {dataset.id} '{dataset.name}'"

"""Downloads: whole, in ranges, and of nobody else's files."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from store import artifacts, projects
from store.artifacts import NewArtifact
from store.database import Sessions
from store.leases import Claim
from store.objects import FolderStore, ObjectStore
from store.tables import Artifact, Job

BODY = bytes(range(256)) * 40
SIZE = len(BODY)


@pytest.fixture
def artifact(
    make_job: Callable[[], Job], claim: Callable[[Job], Claim], sessions: Sessions, objects: ObjectStore
) -> Artifact:
    job = make_job()
    lease = claim(job).lease
    stored = objects.put(f"jobs/{job.id}/student.onnx", [BODY])
    new = NewArtifact(
        name='exports/stu"dent ü.onnx',
        format="onnx",
        path="exports/student.onnx",
        object_key=stored.key,
        media_type="application/octet-stream",
        size=stored.size,
        sha256=stored.sha256,
        facts={"map50": 0.61},
    )
    with sessions.begin() as session:
        return artifacts.publish(session, lease, new)


@pytest.fixture
def path(artifact: Artifact) -> str:
    return f"/v1/artifacts/{artifact.id}/content"


def test_a_job_s_files_are_listed_with_what_was_measured(client: TestClient, artifact: Artifact) -> None:
    (found,) = client.get(f"/v1/jobs/{artifact.job_id}/artifacts").json()["data"]
    assert found["facts"] == {"map50": 0.61}
    assert found["sha256"] == artifact.sha256
    assert client.get(found["content"]).content == BODY
    assert client.get(f"/v1/artifacts/{artifact.id}").json() == found


def test_the_whole_file_comes_with_its_length_and_name(client: TestClient, artifact: Artifact, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content == BODY
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["etag"] == f'"{artifact.sha256}"'
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''stu%22dent%20%C3%BC.onnx"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, SIZE), ("bytes=-7", SIZE - 7, SIZE), ("bytes=5-999999", 5, SIZE)],
)
def test_a_range_is_sent_as_asked(client: TestClient, path: str, asked: str, start: int, end: int) -> None:
    answer = client.get(path, headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == BODY[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"


def test_a_range_beyond_the_file_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"range": f"bytes={SIZE}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_a_resumed_download_of_another_file_starts_anew(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"range": "bytes=100-", "if-range": '"another"'})
    assert answer.status_code == 200
    assert answer.content == BODY


def test_what_the_client_has_is_not_sent_again(client: TestClient, artifact: Artifact, path: str) -> None:
    assert client.get(path, headers={"if-none-match": f'"{artifact.sha256}"'}).status_code == 304


def test_head_tells_the_size_without_the_bytes(client: TestClient, path: str) -> None:
    answer = client.head(path)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.content == b""


def test_a_collected_file_is_gone(client: TestClient, objects: ObjectStore, artifact: Artifact, path: str) -> None:
    objects.delete(artifact.object_key)
    answer = client.get(path)
    assert answer.status_code == 410
    assert answer.json()["code"] == "object_missing"


def test_another_projects_file_is_not_there(
    client: TestClient, path: str, sessions: Sessions, make_key: Callable[..., str]
) -> None:
    with sessions.begin() as session:
        other = projects.ensure(session, "other").id
    client.headers["authorization"] = f"Bearer {make_key('admin', project=other)}"
    assert client.get(path).status_code == 404


def test_a_store_that_is_away_is_said_to_be_away(client: TestClient, path: str, objects: ObjectStore) -> None:
    assert isinstance(objects, FolderStore)
    objects._root.rename(objects._root.with_name("unmounted"))
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.json()["code"] == "object_store_unavailable"

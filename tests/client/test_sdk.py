import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from client.errors import EXIT_JOB_FAILED, EXIT_NOT_ALLOWED, EXIT_REFUSED, EXIT_UNREACHABLE, ClientError
from client.models import Artifact, Dataset
from client.sdk import Fgfi

MakeService = Callable[[Callable[[httpx.Request], httpx.Response]], Fgfi]

TIME = "2030-01-01T00:00:00Z"
JOB = {"id": "job_1", "name": "cells", "state": "running", "dataset_id": "ds_1", "created_at": TIME}
DATASET = {"id": "ds_1", "name": "cells", "state": "ready", "created_at": TIME}
CONTENT = b"a student"


def artifact(sha256: str) -> Artifact:
    return Artifact(
        id="art_1", name="student.onnx", format="onnx", size=9, sha256=sha256, content="/v1/artifacts/art_1/content"
    )


def event(sequence: int, kind: str) -> str:
    data = {"sequence": sequence, "kind": kind, "data": {"n": sequence}}
    return f"id: {sequence}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"


def test_a_refusal_becomes_its_detail_and_the_hints_of_each_field(make_service: MakeService) -> None:
    problem = {
        "code": "bad_spec",
        "detail": "The spec has a mistake.",
        "errors": [{"path": "teacher.detector", "message": "there is no detector 'x'", "hint": "Did you mean 'y'?"}],
    }
    service = make_service(lambda _: httpx.Response(422, json=problem))

    with pytest.raises(ClientError) as caught:
        service.submit({})

    assert caught.value.message == "The spec has a mistake."
    assert caught.value.hints == ("teacher.detector: there is no detector 'x'", "Did you mean 'y'?")
    assert (caught.value.exit_code, caught.value.code) == (EXIT_REFUSED, "bad_spec")


def test_what_the_message_says_is_not_said_again_below_it(make_service: MakeService) -> None:
    error = {"path": "dataset.id", "message": "there is no data set 'x'", "hint": "It may have been deleted."}
    problem = {"code": "x", "detail": "There is no data set 'x'.", "hint": error["hint"], "errors": [error]}

    with pytest.raises(ClientError) as caught:
        make_service(lambda _: httpx.Response(422, json=problem)).submit({})

    assert caught.value.hints == ("It may have been deleted.",)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_does_not_open_has_an_exit_code_of_its_own(make_service: MakeService, status: int) -> None:
    with pytest.raises(ClientError) as caught:
        make_service(lambda _: httpx.Response(status, json={"detail": "no"})).jobs()

    assert caught.value.exit_code == EXIT_NOT_ALLOWED


def test_an_answer_that_is_no_problem_document_is_told_by_its_status(make_service: MakeService) -> None:
    with pytest.raises(ClientError, match="the service answered 418"):
        make_service(lambda _: httpx.Response(418, text="<html>")).jobs()


def test_a_job_is_asked_for_again_under_the_same_key_when_the_answer_was_lost(make_service: MakeService) -> None:
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(201, json=JOB)

    assert make_service(answer).submit({}).id == "job_1"
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_two_jobs_have_two_keys(make_service: MakeService) -> None:
    keys: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        keys.add(request.headers["idempotency-key"])
        return httpx.Response(201, json=JOB)

    service = make_service(answer)
    service.submit({})
    service.submit({})

    assert len(keys) == 2


def test_a_cancellation_is_not_repeated_by_itself(make_service: MakeService) -> None:
    tries: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(request.url.path)
        return httpx.Response(503)

    with pytest.raises(ClientError):
        make_service(answer).cancel("job_1")

    assert tries == ["/v1/jobs/job_1/cancel"]


def test_a_busy_service_is_asked_again_when_it_said(make_service: MakeService, pauses: list[float]) -> None:
    answers = iter([httpx.Response(429, headers={"Retry-After": "3"}), httpx.Response(200, json=JOB)])

    assert make_service(lambda _: next(answers)).job("job_1").id == "job_1"
    assert pauses == [3.0]


def test_a_service_that_is_not_there_is_said_once_after_several_tries(
    make_service: MakeService, pauses: list[float]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(ClientError, match="cannot reach the service at http://service") as caught:
        make_service(answer).jobs()

    assert caught.value.exit_code == EXIT_UNREACHABLE
    assert len(pauses) > 1
    assert pauses == sorted(pauses)


def test_all_pages_of_a_list_are_read(make_service: MakeService) -> None:
    pages = {
        None: {"data": [JOB], "has_more": True, "next_cursor": "c2"},
        "c2": {"data": [JOB | {"id": "job_2"}], "has_more": False, "next_cursor": None},
    }

    service = make_service(lambda request: httpx.Response(200, json=pages[request.url.params.get("cursor")]))

    assert [job.id for job in service.jobs()] == ["job_1", "job_2"]


def test_a_limit_ends_a_list(make_service: MakeService) -> None:
    page = {"data": [JOB, JOB | {"id": "job_2"}], "has_more": True, "next_cursor": "more"}

    assert [job.id for job in make_service(lambda _: httpx.Response(200, json=page)).jobs(limit=1)] == ["job_1"]


def test_an_upload_is_one_stream_with_a_name(make_service: MakeService, folder: Path) -> None:
    received: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        received.append(request)
        return httpx.Response(201, json=DATASET)

    make_service(answer).add_dataset(folder)

    assert received[0].url.params["name"] == "cells"
    assert received[0].headers["content-type"] == "application/gzip"
    assert received[0].content[:2] == b"\x1f\x8b"
    assert "content-length" not in received[0].headers


def test_waiting_for_the_check_ends_with_it(make_service: MakeService) -> None:
    states = iter(["checking", "ready"])
    service = make_service(lambda _: httpx.Response(200, json=DATASET | {"state": next(states)}))

    assert service.checked(Dataset.model_validate(DATASET | {"state": "uploading"})).state == "ready"


def test_a_rejected_data_set_says_which_file_and_line(make_service: MakeService) -> None:
    rejected = DATASET | {
        "state": "rejected",
        "error": {"code": "bad_data", "message": "2 errors", "hint": "Mend them."},
        "report": {"problems": [{"severity": "error", "file": "a.xml", "line": 3, "message": "no size"}]},
    }

    with pytest.raises(ClientError, match="data set 'cells' was rejected: 2 errors") as caught:
        make_service(lambda _: httpx.Response(500)).checked(Dataset.model_validate(rejected))

    assert caught.value.hints == ("Mend them.", "a.xml:3: no size")
    assert caught.value.exit_code == EXIT_JOB_FAILED


def test_a_stream_that_breaks_off_is_taken_up_where_it_broke(make_service: MakeService) -> None:
    asked: list[str | None] = []

    def broken() -> Iterator[bytes]:
        yield event(1, "state").encode()
        yield b"id: 2\ndata: ha"
        raise httpx.ReadError("cut")

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/stream"):
            return httpx.Response(200, json=JOB | {"state": "succeeded"})
        asked.append(request.headers.get("last-event-id"))
        if len(asked) == 1:
            return httpx.Response(200, content=broken())
        return httpx.Response(200, text=event(2, "log") + 'event: end\ndata: {"state": "succeeded"}\n\n')

    events = list(make_service(answer).follow("job_1"))

    assert [(one.sequence, one.kind) for one in events] == [(1, "state"), (2, "log"), (None, "end")]
    assert asked == [None, "1"]


def test_a_stream_that_never_comes_back_is_given_up(make_service: MakeService) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone", request=request)

    with pytest.raises(ClientError) as caught:
        list(make_service(answer).follow("job_1"))

    assert caught.value.exit_code == EXIT_UNREACHABLE


def test_a_download_is_there_whole(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service(lambda _: httpx.Response(200, content=CONTENT))

    path = service.download(artifact(hashlib.sha256(CONTENT).hexdigest()), tmp_path / "student.onnx")

    assert path.read_bytes() == CONTENT


def test_a_damaged_download_leaves_nothing(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service(lambda _: httpx.Response(200, content=CONTENT[:-1]))

    with pytest.raises(ClientError, match="arrived damaged"):
        service.download(artifact(hashlib.sha256(CONTENT).hexdigest()), tmp_path / "student.onnx")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "retry"])
def test_an_action_is_asked_for_once(make_service: MakeService, action: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json=JOB)

    assert getattr(make_service(answer), action)("job_1").id == "job_1"
    assert asked == [f"POST /v1/jobs/job_1/{action}"]


def test_a_clone_carries_its_changes_and_a_key(make_service: MakeService) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json=JOB)

    make_service(answer).clone("job_1", {"name": "other"})
    assert asked[0].url.path == "/v1/jobs/job_1/clone"
    assert json.loads(asked[0].content) == {"name": "other"}
    assert asked[0].headers["idempotency-key"]


def test_a_job_is_submitted_with_its_priority(make_service: MakeService) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json=JOB)

    make_service(answer).submit({}, priority="high")
    assert dict(asked[0].url.params) == {"priority": "high"}


def test_jobs_are_asked_for_by_every_filter(make_service: MakeService) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"data": [JOB], "has_more": False, "next_cursor": None})

    service = make_service(answer)
    assert [job.id for job in service.jobs(detector="d", method="fgfi", metadata=["line:3", "shift:b"])] == ["job_1"]

    params = asked[0].params
    assert (params["detector"], params["method"]) == ("d", "fgfi")
    assert params.get_list("metadata") == ["line:3", "shift:b"]
    assert "state" not in params


def test_a_job_is_deleted(make_service: MakeService) -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        return httpx.Response(204)

    make_service(answer).delete("job_1")

    assert asked == [("DELETE", "/v1/jobs/job_1")]

"""Models through the client: what is sent, and what a person reads when weights do not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.errors import EXIT_JOB_FAILED, ClientError
from client.registry import Declared
from client.sdk import Fgfi

MakeService = Callable[[Callable[[httpx.Request], httpx.Response]], Fgfi]


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "id": "mdl_1",
        "name": "big",
        "state": "ready",
        "detector": "shuffledet-1x",
        "classes": ["cell", "dot"],
        "image_size": [320, 240],
        "content": "/v1/models/mdl_1/content",
        "created_at": "2030-01-01T00:00:00Z",
        **changes,
    }


def test_a_file_goes_as_it_is_with_what_was_declared(make_service: MakeService, tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        request.read()
        asked.append(request)
        return httpx.Response(201, json=answer(state="checking"))

    (tmp_path / "big.safetensors").write_bytes(b"weights")
    declared = Declared("shuffledet-1x", ("cell", "dot"), "320x240", ("16x12", "30x40"))
    counted: list[int] = []
    model = make_service(serve).models.add(tmp_path / "big.safetensors", None, declared, counted.append)

    (request,) = asked
    assert (request.method, request.url.path, request.content) == ("POST", "/v1/models", b"weights")
    assert request.url.params.multi_items() == [
        ("name", "big"),
        ("detector", "shuffledet-1x"),
        ("class", "cell"),
        ("class", "dot"),
        ("image_size", "320x240"),
        ("anchor", "16x12"),
        ("anchor", "30x40"),
    ]
    assert (model.state, sum(counted)) == ("checking", 7)


def test_a_check_is_waited_for(make_service: MakeService, pauses: list[float]) -> None:
    states = iter(["checking", "ready"])
    service = make_service(lambda _: httpx.Response(200, json=answer(state=next(states))))
    first = service.models.get("mdl_1")
    assert service.models.checked(first).state == "ready"
    assert len(pauses) == 1


def test_a_rejected_model_lists_every_tensor_that_differs(make_service: MakeService) -> None:
    report = {
        "missing": ["a.weight"],
        "unexpected": ["b.weight"],
        "wrong_shape": [{"name": "c.weight", "found": [1], "expected": [2, 3]}],
        "not_finite": ["d.weight"],
    }
    error = {"code": "unfit_weights", "message": "the weights do not fit", "hint": "Give others."}
    service = make_service(lambda _: httpx.Response(200, json=answer(state="rejected", report=report, error=error)))

    with pytest.raises(ClientError) as caught:
        service.models.checked(service.models.get("mdl_1"))

    assert (caught.value.exit_code, caught.value.code) == (EXIT_JOB_FAILED, "unfit_weights")
    assert caught.value.hints == (
        "Give others.",
        "a.weight: missing",
        "c.weight: is [1] and should be [2, 3]",
        "b.weight: not one of the detector's",
        "d.weight: holds values that are no finite numbers",
    )


def test_a_refused_deletion_says_which_jobs_are_in_the_way(make_service: MakeService) -> None:
    problem = {"code": "model_in_use", "detail": "Model 'mdl_1' is used by job_1.", "hint": "Cancel it."}
    service = make_service(lambda _: httpx.Response(409, json=problem))

    with pytest.raises(ClientError, match="used by job_1") as caught:
        service.models.delete("mdl_1")

    assert caught.value.code == "model_in_use"

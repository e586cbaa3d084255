"""What `fgfi doctor` says of a service, by what the service answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from client import checks
from client.connection import Connection
from client.errors import ClientError

WELL = {"database": True, "broker": True, "store": True}


def answers(
    parts: dict[str, bool] | None = None, key: int = 200, spoken: str | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        content: dict[str, Any] = {
            "/v1/openapi.json": {"info": {"version": spoken or checks.API_VERSION}},
            "/readyz": {"ready": True, "parts": parts or WELL},
            "/v1/jobs": {"data": []},
        }
        return httpx.Response(key if request.url.path == "/v1/jobs" else 200, json=content[request.url.path])

    return answer


def looked_at(answer: Callable[[httpx.Request], httpx.Response]) -> dict[str, checks.Check]:
    there = Connection("http://service", "fgfi_key")
    return {one.name: one for one in checks.service(lambda: there, httpx.MockTransport(answer))}


def test_where_all_is_well_nothing_has_to_be_mended() -> None:
    found = looked_at(answers())

    assert found.keys() == {"service", "version", "key", *WELL}
    assert {check.state for check in found.values()} == {"ok"}


@pytest.mark.parametrize(("part", "variable"), [("database", "DATABASE"), ("broker", "REDIS"), ("store", "STORAGE")])
def test_a_part_that_does_not_answer_is_named_with_where_to_look(part: str, variable: str) -> None:
    found = looked_at(answers({**WELL, part: False}))

    assert found[part].state == "wrong"
    assert f"FGFI_{variable}_URL" in found[part].mend


def test_a_key_of_another_service_is_wrong() -> None:
    found = looked_at(answers(key=401))

    assert (found["key"].state, found["key"].said) == ("wrong", "refused with 401")


def test_another_version_is_worth_a_note() -> None:
    assert looked_at(answers(spoken="2"))["version"].state == "note"


def test_what_is_no_service_of_ours_is_said_once_and_asked_no_further() -> None:
    found = looked_at(lambda _: httpx.Response(200, text="<html>"))

    assert list(found) == ["service"]
    assert found["service"].state == "wrong"


def test_without_a_service_the_machine_alone_is_no_fault() -> None:
    def unknown() -> Connection:
        raise ClientError("no service is known on this machine", hints=("start one",))

    (found,) = checks.service(unknown)

    assert (found.state, found.mend) == ("note", "start one")


def test_this_machine_is_looked_at_without_a_service(tmp_path: Path) -> None:
    found = {one.name: one for one in checks.machine(tmp_path / "not" / "made")}

    assert found.keys() == {"python", "training", "device", "servers", "disk"}
    assert "torch" in found["training"].said


def test_a_gpu_that_torch_does_not_see_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch  # noqa: PLC0415 - this machine's, or a stand-in for a CPU build

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (tmp_path / "0000:01:00.0").mkdir()

    found = checks._device(tmp_path)

    assert (found.state, found.said) == ("wrong", "1 GPUs that are not used")

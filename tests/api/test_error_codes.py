"""The list of codes is the code's own: nothing is raised that is not in it, and nothing is in it that is not raised."""

import ast
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from starlette.testclient import TestClient

from api import refusals
from api.error_codes import CODES, OF_STATUS
from api.failure_codes import FAILURES
from api.problems import CODE_OF_STATUS
from store.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]
# Raised to workers and never answered to a request, unless by a fault of ours.
INSIDE = {"store_error", "lease_lost", "object_damaged"}


def calls_of(name: str, *rooms: str) -> Iterator[ast.Call]:
    for room in rooms:
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                    yield node


def literals(node: ast.AST) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def raised() -> dict[str, set[int]]:
    """Every code that a request can be answered with, and its statuses."""
    found: dict[str, set[int]] = {}
    for call in calls_of("Problem", "api"):
        first, second = call.args[:2]
        if isinstance(first, ast.Constant) and isinstance(second, ast.Constant):
            found.setdefault(str(second.value), set()).add(int(str(first.value)))
    for kind, status in refusals.STATUS.items():
        found.setdefault(kind.code, set()).add(status)
    for status, code in CODE_OF_STATUS.items():
        found.setdefault(code, set()).add(status)
    return found


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*map(subclasses, kind.__subclasses__()))


def test_every_code_that_is_raised_is_listed_with_its_status() -> None:
    found = raised()
    assert len(found) > 30
    assert {
        code: statuses for code, statuses in found.items() if statuses != {getattr(CODES.get(code), "status", 0)}
    } == {}


def test_every_refusal_of_the_store_is_listed() -> None:
    codes = {
        kind.code
        for kind in subclasses(StoreError)
        if issubclass(kind, StoreError) and kind.__module__.startswith("store.")
    }
    assert codes - CODES.keys() == set()


def test_nothing_is_listed_that_is_never_raised() -> None:
    computed = {"dataset_not_found"}  # Chosen by an expression in the route.
    assert CODES.keys() - raised().keys() - computed - INSIDE == set()


def test_every_listed_code_says_what_causes_it_and_what_to_do() -> None:
    for code, meaning in CODES.items():
        assert meaning.cause.endswith("."), code
        assert meaning.cure.endswith("."), code
        assert 400 <= HTTPStatus(meaning.status) < 600
    assert {code for codes in OF_STATUS.values() for code in codes} <= CODES.keys()


def failures() -> set[str]:
    """Codes in the errors of jobs, data sets and models: classes of the science, and dictionaries with a `code`."""
    found: set[str] = set()
    for room in ("fgfi_core", "worker", "store"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Dict):
                    for key, value in zip(node.keys, node.values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant):
                            found.add(str(value.value))
                elif isinstance(node, ast.ClassDef) and room == "fgfi_core":
                    for line in node.body:
                        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "code":
                            found |= literals(line.value)
    return found


def test_every_failure_of_a_job_is_listed() -> None:
    found = failures()
    assert len(found) > 10
    assert found - FAILURES.keys() == set()


def test_a_problem_leads_to_what_its_code_means(client: TestClient) -> None:
    body = client.get("/v1/nothing").json()
    assert body["type"] == "/v1/errors/not_found"
    meaning = client.get(body["type"]).json()
    assert (meaning["code"], meaning["status"]) == ("not_found", 404)
    assert meaning["cure"]
    assert client.get("/v1/errors/nonsense").status_code == 404
    assert len(client.get("/v1/errors").json()["data"]) == len(CODES)

"""The application as a whole."""

import subprocess
import sys

from starlette.testclient import TestClient

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # From here on `import torch` raises ImportError.
from api.main import create_app
from store.settings import Settings
create_app(Settings(
    database_url="postgresql://nobody@localhost/nowhere",
    redis_url="redis://localhost:1/0",
    storage_url=sys.argv[1],
    secret_key="unit-tests-need-a-secret-of-some-length",
))
loaded = {name.split(".")[0] for name in sys.modules}
heavy = loaded & {"numpy", "torchvision", "matplotlib", "onnx", "celery", "worker", "authlib", "joserfc", "redis"}
assert not heavy, heavy
"""


def test_it_starts_where_torch_cannot_be_imported(tmp_path: object) -> None:
    url = f"file://{tmp_path}"
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_described_error_is_a_problem(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            for status, answer in call["responses"].items():
                if status[0] == "4" and path.startswith("/v1"):
                    assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


def test_every_reference_of_the_description_leads_somewhere(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    known = {f"#/components/{kind}/{name}" for kind, named in document["components"].items() for name in named}

    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set[str]().union(*map(references, value)) if isinstance(value, list) else set()

    assert references(document) <= known
    assert "#/components/schemas/JobSpec" in references(document["paths"])


def test_the_catalogue_lists_detectors_and_methods(client: TestClient) -> None:
    detectors = client.get("/v1/detectors").json()["data"]
    assert all(one["parameters"] > 0 and one["description"] for one in detectors)
    methods = {one["name"]: one["fields"] for one in client.get("/v1/methods").json()["data"]}
    assert "threshold" in methods["fine-grained"]["properties"]


def test_assets_are_served_and_asked_after(client: TestClient) -> None:
    answer = client.get("/static/css/tokens.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get("/static/css/tokens.css", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_the_process_says_that_it_lives(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}

"""The wrong requests of docs/rest.md, sent; `make examples` writes what is answered into the page."""

import os
from collections.abc import Mapping
from typing import Any

from starlette.testclient import TestClient

from tests.integration.api.mistakes import MISTAKES, PAGE, Mistake, page, table
from tests.integration.api.scene import Scene


def test_wrong_requests_are_answered_as_the_page_says(client: TestClient, scene: Scene) -> None:
    def ask(mistake: Mistake) -> Mapping[str, Any]:
        sent = scene.real({"path": mistake.path, "json": mistake.json})
        answer = client.request(
            mistake.method, sent["path"], json=sent["json"], content=mistake.content, headers=mistake.headers
        )
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem: dict[str, Any] = scene.shown(answer.json())
        assert problem["status"] == answer.status_code
        return problem

    made = table(ask)

    if os.environ.get("WRITE_EXAMPLES"):
        PAGE.write_text(page(made))
    assert len(MISTAKES) >= 20
    assert page(made) == PAGE.read_text(), "make examples"

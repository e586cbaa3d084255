"""What goes out compressed, and what must not."""

from starlette.testclient import TestClient

ASKS = {"accept-encoding": "gzip"}


def test_pages_and_their_files_go_out_compressed(client: TestClient) -> None:
    for path in ("/static/css/tokens.css", "/static/vendor/htmx.min.js", "/v1/openapi.json"):
        answer = client.get(path, headers=ASKS)
        assert answer.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in answer.headers["vary"].lower()


def test_who_cannot_unpack_gets_them_plain(client: TestClient) -> None:
    assert (
        "content-encoding" not in client.get("/static/css/tokens.css", headers={"accept-encoding": "identity"}).headers
    )

"""/v1/webhooks: made, changed, tried; the secret is shown once; what an address may be."""

from typing import Any

import pytest
from starlette.testclient import TestClient

URL = "https://8.8.8.8/hooks"
ASKED = {"url": URL, "events": ["job.failed", "job.succeeded"]}


def made(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={**ASKED, **changes})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_secret_is_shown_once(client: TestClient) -> None:
    body = made(client)
    secret = body.pop("secret")
    assert secret.startswith("whsec_")
    assert client.get(f"/v1/webhooks/{body['id']}").json() == body
    assert secret not in client.get("/v1/webhooks").text
    renewed = client.post(f"/v1/webhooks/{body['id']}/rotate").json()
    assert renewed["secret"] != secret


def test_every_webhook_has_a_secret_of_its_own(client: TestClient) -> None:
    assert made(client)["secret"] != made(client)["secret"]


def test_it_is_changed_disabled_and_enabled_again(client: TestClient) -> None:
    path = f"/v1/webhooks/{made(client)['id']}"
    off = client.patch(path, json={"enabled": False, "events": ["job.failed"]}).json()
    assert (off["enabled"], off["events"], off["disabled_reason"]) == (False, ["job.failed"], "Disabled by hand.")
    on = client.patch(path, json={"enabled": True}).json()
    assert (on["enabled"], on["disabled_at"], on["events"]) == (True, None, ["job.failed"])
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "example.com",
        "https://",
        "https://user:secret@8.8.8.8/",
        "https://8.8.8.8/#here",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8:0/",
        "https://8.8.8.8/a b",
        "https://8.8.8.8/\r\nhost: evil",
        "https://8.8.8.8/ü",
        "https://[::1/",
        "https://8.8.8.8/" + "x" * 2000,
        7,
    ],
)
def test_what_is_no_address_is_refused_by_its_field(client: TestClient, url: object) -> None:
    answer = client.post("/v1/webhooks", json={**ASKED, "url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["path"] for error in answer.json()["errors"]] == ["url"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0x7f000001", "localhost"]
)
def test_a_private_address_is_refused_when_it_is_told(client: TestClient, host: str) -> None:
    answer = client.post("/v1/webhooks", json={**ASKED, "url": f"http://{host}/"})
    assert (answer.status_code, answer.json()["code"]) == (422, "address_refused")
    assert answer.json()["errors"][0]["path"] == "url"


def test_an_event_that_is_none_is_told_with_those_there_are(client: TestClient) -> None:
    answer = client.post("/v1/webhooks", json={**ASKED, "events": ["job.done"]})
    assert answer.status_code == 422
    assert "job.succeeded" in answer.text


def test_a_project_has_so_many_and_no_more(client: TestClient) -> None:
    for _ in range(20):
        made(client)
    answer = client.post("/v1/webhooks", json=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_a_trial_is_listed_and_can_be_sent_again(client: TestClient) -> None:
    path = f"/v1/webhooks/{made(client)['id']}"
    tried = client.post(f"{path}/test")
    assert (tried.status_code, tried.json()["event"], tried.json()["state"]) == (202, "webhook.test", "pending")
    assert client.get(f"{path}/deliveries").json()["data"] == [tried.json()]
    again = client.post(f"{path}/deliveries/{tried.json()['id']}/redeliver")
    assert (again.status_code, again.json()["id"]) == (202, tried.json()["id"])

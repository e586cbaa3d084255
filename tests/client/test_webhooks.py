"""Is a message the service's? By the scheme's own published example, and by everything that could be wrong with one."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.webhooks import NotGenuine, verify_webhook
from store.webhook_signature import sign

# From the documentation of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
NOW = 1614265330.0
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()


def verified(body: bytes = BODY, secret: str = SECRET, now: float = NOW, **headers: str) -> dict[str, Any]:
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return verify_webhook(body, {**HEADERS, **changed}, secret, now=now)


def test_the_published_example_is_genuine() -> None:
    assert verified() == {"test": 2432232314}


def test_ours_is_signed_as_the_published_example_is() -> None:
    assert sign(SECRET, HEADERS["webhook-id"], int(NOW), BODY) == HEADERS["webhook-signature"]


def test_names_of_headers_may_have_any_case() -> None:
    assert verify_webhook(BODY, {name.title(): value for name, value in HEADERS.items()}, SECRET, now=NOW)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_a_header_that_is_missing_is_named(name: str) -> None:
    headers = {key: value for key, value in HEADERS.items() if key != name}
    with pytest.raises(NotGenuine, match=name):
        verify_webhook(BODY, headers, SECRET, now=NOW)


def test_another_secret_is_noticed() -> None:
    with pytest.raises(NotGenuine, match="another secret"):
        verified(secret=OTHER)


def test_another_body_is_noticed() -> None:
    with pytest.raises(NotGenuine, match="another body"):
        verified(body=BODY + b" ")


def test_another_id_is_noticed() -> None:
    with pytest.raises(NotGenuine):
        verified(webhook_id="msg_other")


@pytest.mark.parametrize("drift", [-301.0, 301.0])
def test_an_old_message_is_not_taken_again(drift: float) -> None:
    with pytest.raises(NotGenuine, match="too old"):
        verified(now=NOW + drift)


def test_one_of_two_signatures_is_enough() -> None:
    former = sign(OTHER, HEADERS["webhook-id"], int(NOW), BODY)
    assert verified(webhook_signature=f"{former} {HEADERS['webhook-signature']}")
    assert verified(secret=OTHER, webhook_signature=f"{HEADERS['webhook-signature']} {former}")


def test_a_secret_that_is_cut_short_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="copy it whole"):
        verified(secret="whsec_abc")


@given(signature=st.text(max_size=200), moment=st.text(max_size=20))
def test_nonsense_is_refused_and_breaks_nothing(signature: str, moment: str) -> None:
    with pytest.raises(NotGenuine):
        verified(webhook_signature=signature, webhook_timestamp=moment)

"""The dashboard's signed session."""

from starlette.requests import Request

from api.sessions import Visit, from_same_origin, sign, verify
from store.settings import Settings

VISIT = Visit("prj_1", 2_000)


def request(method: str, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "headers": raw, "path": "/"})


def test_what_was_signed_is_read_back(settings: Settings) -> None:
    assert verify(settings, sign(settings, VISIT), now=1_999) == VISIT


def test_a_session_ends(settings: Settings) -> None:
    assert verify(settings, sign(settings, VISIT), now=2_000) is None


def test_every_changed_character_is_noticed(settings: Settings) -> None:
    text = sign(settings, VISIT)
    # The last character of an unpadded base64 text has bits that mean nothing.
    for at in range(len(text) - 1):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        assert verify(settings, changed, now=0) is None


def test_nonsense_is_no_session(settings: Settings) -> None:
    for text in ("", ".", "a.b", "ü.ü", "." * 50):
        assert verify(settings, text, now=0) is None


def test_another_secret_signs_for_nobody(settings: Settings) -> None:
    other = settings.model_copy(update={"secret_key": type(settings.secret_key)("another-secret-of-enough-length-too")})
    assert verify(settings, sign(other, VISIT), now=0) is None


def test_reading_may_come_from_anywhere() -> None:
    assert from_same_origin(request("GET", sec_fetch_site="cross-site"))


def test_changing_must_come_from_our_own_pages() -> None:
    assert from_same_origin(request("POST", sec_fetch_site="same-origin"))
    assert from_same_origin(request("POST", origin="http://localhost:8000", host="localhost:8000"))
    for headers in (
        {"sec_fetch_site": "cross-site", "origin": "http://localhost", "host": "localhost"},
        {"sec_fetch_site": "none"},
        {"origin": "http://localhost:9", "host": "localhost:8000"},
        {"origin": "null", "host": "localhost"},
        {},
    ):
        assert not from_same_origin(request("POST", **headers))

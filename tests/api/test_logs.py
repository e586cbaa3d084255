"""Secrets never reach a log."""

from structlog import PrintLogger

from api.logs import mask_secrets


def test_keys_and_tokens_are_blanked_however_deep() -> None:
    event = {
        "header": "Bearer abc.def",
        "url": "http://localhost/login?token=s3cr3t&x=1",
        "nested": [{"key": "fgfi_0123456789abcdef"}],
        "status": 200,
    }
    assert mask_secrets(PrintLogger(), "info", event) == {
        "header": "Bearer [secret]",
        "url": "http://localhost/login?token=[secret]&x=1",
        "nested": [{"key": "[secret]"}],
        "status": 200,
    }

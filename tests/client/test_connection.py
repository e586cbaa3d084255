import json
from pathlib import Path

import pytest

from client import connection
from client.connection import CONNECTION_FILE, Connection
from client.errors import EXIT_NOT_ALLOWED, EXIT_UNREACHABLE, ClientError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    content = {"url": "http://127.0.0.1:8000", "api_key": "fgfi_local", "pid": 1}
    (tmp_path / CONNECTION_FILE).write_text(json.dumps(content))
    return tmp_path


def test_the_stack_on_this_machine_is_found_without_configuration(data: Path) -> None:
    assert connection.find(data) == Connection("http://127.0.0.1:8000", "fgfi_local")


def test_the_environment_comes_first(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGFI_URL", "https://fgfi.example/")
    monkeypatch.setenv("FGFI_API_KEY", "fgfi_other")

    assert connection.find(data) == Connection("https://fgfi.example", "fgfi_other")


def test_an_address_without_its_scheme_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGFI_URL", "fgfi.example:8000")

    with pytest.raises(ClientError, match=r"FGFI_URL is 'fgfi\.example:8000', which is no address"):
        connection.find(data)


def test_the_local_key_is_never_sent_to_another_address(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGFI_URL", "https://fgfi.example")

    with pytest.raises(ClientError, match="no API key for https") as caught:
        connection.find(data)
    assert caught.value.exit_code == EXIT_NOT_ALLOWED


def test_without_a_service_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no service is known") as caught:
        connection.find(tmp_path)
    assert "fgfi up" in caught.value.hints[0]
    assert caught.value.exit_code == EXIT_UNREACHABLE


def test_the_key_is_in_no_representation() -> None:
    assert "fgfi_secret" not in repr(Connection("http://x", "fgfi_secret"))


@pytest.mark.parametrize("content", ["", "[]", '{"url": "http://x"}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / CONNECTION_FILE).write_text(content)

    with pytest.raises(ClientError, match=r"connection\.json"):
        connection.find(tmp_path)

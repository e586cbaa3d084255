"""Requests to addresses of the users' choice, against real sockets on the loopback address."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest

from store.errors import AddressRefused
from store.public_address import public_addresses
from worker.outgoing import NoAnswer, post

HERE = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
Talk = Callable[[socket.socket], None]


@contextmanager
def server(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads one request and then says what it likes; yields its address, and what it read."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                head = connection.makefile("rb")
                lines = list(iter(head.readline, b"\r\n"))
                length = next((int(line[16:]) for line in lines if line.lower().startswith(b"content-length: ")), 0)
                seen.append(b"".join(lines) + b"\r\n" + head.read(length))
                talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://localhost:{listening.getsockname()[1]}/hook", seen
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_a_body_arrives_and_the_status_comes_back() -> None:
    with server(lambda to: to.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")) as (url, seen):
        assert post(url, b'{"a": 1}', {"Content-Type": "application/json"}, allowed=HERE) == 204
    assert seen[0].startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"Host: localhost:" in seen[0]
    assert seen[0].endswith(b'\r\n\r\n{"a": 1}')


def test_without_leave_nothing_reaches_this_machine() -> None:
    with server(lambda to: to.close()) as (url, seen), pytest.raises(AddressRefused, match="not a public address"):
        post(url, b"", {})
    assert seen == []


def test_a_redirect_is_an_answer_and_leads_nowhere() -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with server(lambda to: to.sendall(moved)) as (url, _):
        assert post(url, b"", {}, allowed=HERE) == 307


def test_a_name_that_answers_differently_the_second_time_is_asked_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(lambda to: to.sendall(b"HTTP/1.1 200 OK\r\n\r\n")) as (url, seen):
        asked: list[str] = []
        real = socket.getaddrinfo

        def rebinding(host: str, *arguments: object, **named: object) -> object:
            if host == "rebinding.example":
                asked.append(host)
                return real("127.0.0.1", *arguments, **named)  # type: ignore[arg-type]  # passed on as it came
            return real(host, *arguments, **named)  # type: ignore[arg-type]  # likewise

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        assert post(url.replace("localhost", "rebinding.example"), b"", {}, allowed=HERE) == 200
    assert asked == ["rebinding.example"]
    assert b"Host: rebinding.example:" in seen[0]


def test_an_answer_that_drips_is_cut_off_at_the_deadline() -> None:
    cut = threading.Event()

    def drip(to: socket.socket) -> None:
        try:
            while True:
                to.sendall(b"H")
                time.sleep(0.02)  # A byte now and then is what this server is about.
        except OSError:
            cut.set()

    with server(drip) as (url, _), pytest.raises(NoAnswer):
        post(url, b"", {}, allowed=HERE, seconds=0.3)
    assert cut.wait(10)


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n"])
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    with server(lambda to: to.sendall(said)) as (url, _), pytest.raises(NoAnswer):
        post(url, b"", {}, allowed=HERE)


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    with pytest.raises(NoAnswer):
        post("http://127.0.0.1:1/", b"", {}, allowed=HERE)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "", "a" * 300, "ü" * 80])
def test_no_spelling_of_a_loopback_address_and_no_nonsense_gets_through(host: str) -> None:
    with pytest.raises(AddressRefused):
        public_addresses(host, 80)

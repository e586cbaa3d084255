import os
import signal
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from embedded.processes import Process
from embedded.redis import START_SECONDS, RedisServer, running

pytestmark = pytest.mark.integration


def test_it_writes_a_log_and_never_evicts(tmp_path: Path) -> None:
    with running(tmp_path / "redis") as url, Redis.from_url(url) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_nobody_gets_in_without_the_password(tmp_path: Path) -> None:
    with (
        running(tmp_path / "redis") as url,
        Redis.from_url("redis://" + url.split("@")[1]) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.ping()


def test_the_password_stands_in_a_file_for_the_owner_alone_and_in_no_command_line(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")

    part = server.prepare()

    password = server.url.split(":")[2].split("@")[0]
    assert password in (tmp_path / "redis" / "redis.conf").read_text()
    assert (tmp_path / "redis" / "redis.conf").stat().st_mode & 0o077 == 0
    assert not any(password in word for word in part.command)


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    process = Process(server.prepare())
    process.wait_ready(server.ready, START_SECONDS)
    with Redis.from_url(server.url) as client:
        client.set("kept", "7")

    os.kill(process.pid, signal.SIGKILL)
    process.kill()

    with running(tmp_path / "redis") as url, Redis.from_url(url) as client:
        assert client.get("kept") == b"7"

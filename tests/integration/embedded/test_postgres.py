import os
import signal
from pathlib import Path

import psutil
import psycopg
import pytest

from embedded.errors import StackError
from embedded.postgres import START_SECONDS, PostgresServer, running
from embedded.processes import Process

pytestmark = pytest.mark.integration


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url, autocommit=True)


def processes_in(folder: Path) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cwd"]) if str(p.info["cwd"]).startswith(str(folder))]


def test_a_new_folder_becomes_a_server_that_speaks_utf8(tmp_path: Path) -> None:
    with running(tmp_path / "postgres") as url, connect(url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_what_was_committed_is_there_after_an_orderly_stop(tmp_path: Path) -> None:
    with running(tmp_path / "postgres") as url, connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")

    with running(tmp_path / "postgres") as url, connect(url) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_no_process_is_left_after_a_stop(tmp_path: Path) -> None:
    with running(tmp_path / "postgres") as url, connect(url) as connection:
        connection.execute("SELECT 1")
        assert processes_in(tmp_path)

    assert processes_in(tmp_path) == []


def test_what_was_committed_is_there_after_a_kill(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "postgres")
    process = Process(server.prepare())
    process.wait_ready(server.ready, START_SECONDS)
    with connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")

    os.kill(process.pid, signal.SIGKILL)
    process.kill()
    assert (server.data / "postmaster.pid").exists()

    with running(tmp_path / "postgres") as url, connect(url) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_a_stale_pid_file_that_names_a_strangers_process_is_no_obstacle(tmp_path: Path) -> None:
    with running(tmp_path / "postgres"):
        lines = (tmp_path / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    # Some process that lives and is not PostgreSQL: after a restart of a container this is the usual case.
    (tmp_path / "postgres" / "data" / "postmaster.pid").write_text("\n".join([str(os.getppid()), *lines[1:], ""]))

    with running(tmp_path / "postgres") as url, connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_an_earlier_run_left_is_ended_before_the_new_one_starts(tmp_path: Path) -> None:
    left = PostgresServer(tmp_path / "postgres")
    process = Process(left.prepare())
    try:
        process.wait_ready(left.ready, START_SECONDS)

        with running(tmp_path / "postgres") as url, connect(url) as connection:
            assert process.exit_code() is not None
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        process.stop()


def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres" / "unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")

    with running(tmp_path / "postgres") as url, connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_path_too_long_for_a_socket_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["folder-with-a-long-name"] * 6)

    with running(deep) as url, connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_cluster_that_does_not_start_says_why_in_one_line(tmp_path: Path) -> None:
    with running(tmp_path / "postgres"):
        pass
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("9\n")

    with (
        pytest.raises(StackError, match=r"postgres ended while starting .*version") as caught,
        running(tmp_path / "postgres"),
    ):
        pass
    assert "\n" not in str(caught.value)

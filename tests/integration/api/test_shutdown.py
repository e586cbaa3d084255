"""Stopping the process as an operator does."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import httpx

from store.settings import Settings
from store.tables import Job


def test_open_streams_end_when_the_process_is_told_to_stop(
    settings: Settings, make_key: Callable[..., str], make_job: Callable[[], Job]
) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    environment = os.environ | {
        "FGFI_DATABASE_URL": settings.psycopg_url,
        "FGFI_REDIS_URL": settings.redis_url,
        "FGFI_STORAGE_URL": settings.storage_url,
        "FGFI_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app", f"--fd={listening.fileno()}"]
    process = subprocess.Popen(
        [*command, "--timeout-graceful-shutdown=20"],
        env=environment,
        pass_fds=[listening.fileno()],
        stderr=subprocess.PIPE,
        text=True,
    )
    headers = {"authorization": f"Bearer {make_key('read')}"}
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1/jobs/{make_job().id}/events/stream"
        with httpx.stream("GET", url, headers=headers, timeout=60) as response:
            lines = response.iter_lines()
            assert any(line.startswith("event: state") for line in lines)
            process.send_signal(signal.SIGTERM)
            assert not any(line.startswith("event: end") for line in lines)  # Ended in order, to be taken up again.
        _, logged = process.communicate(timeout=15)
    finally:
        process.kill()
        listening.close()
    assert "exceeded" not in logged
    assert process.returncode in {0, -signal.SIGTERM}

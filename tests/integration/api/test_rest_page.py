"""The lines of docs/rest.md, run as they stand."""

import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.integration.api.scene import CONTENT, Scene, name

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rest.md"


def lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("curl")]


def test_every_line_of_the_page_works(server: httpx.Client, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "cells.zip").write_bytes(CONTENT["archive"])
    environment = {
        **os.environ,
        "FGFI_URL": str(server.base_url).rstrip("/"),
        "FGFI_API_KEY": server.headers["authorization"].removeprefix("Bearer "),
        "DATASET": scene.ids[name("ds", "Cells")],
        "JOB": scene.ids[name("job", "Done")],
        "ARTIFACT": scene.ids[name("art", "Student")],
    }
    assert len(lines()) > 8
    for line in lines():
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode:
            pytest.fail(f"{line}\n{done.stdout}{done.stderr}")
    assert (tmp_path / "student.onnx").read_bytes() == b"onnx"

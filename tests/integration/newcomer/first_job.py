"""What the README promises a newcomer, done to the letter: its lines, run where everything that they name is at hand.

Only the data set and the spec are smaller, so that the job takes seconds.
"""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.client import DETECTORS, archive

ROOT = Path(__file__).resolve().parents[3]
SPEC = {
    "name": "first",
    "dataset": {"train": "trainval", "val": "test"},
    **DETECTORS,
    "schedule": {"epochs": 1, "image_size": [64, 64], "batch_size": 2, "warmup_steps": 1},
    "preflight": {"force": True, "estimate": False},
    "exports": ["safetensors"],
}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def prepare(folder: Path) -> Path:
    """A folder as the README supposes it: the command, a data set `cells`, the example's spec."""
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/fgfi").symlink_to(Path(sys.executable).with_name("fgfi"))
    (folder / "examples").mkdir()
    (folder / "examples/bccd.yaml").write_text(json.dumps(SPEC))
    zipfile.ZipFile(io.BytesIO(archive())).extractall(folder / "cells")
    return folder


def lines_of(page: Path, language: str, holding: str) -> str:
    """The page's block of code in this language that has these words in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    found = [block for block in blocks if holding in block]
    assert len(found) == 1, f"{page} has {len(found)} blocks with {holding!r}"
    return str(found[0])


@dataclass
class CommandLine:
    """Runs the README's lines one by one, and puts the job's id where they say `job_...`."""

    folder: Path
    run: Run = subprocess.run
    settings: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    job_id: str = "job_..."

    def first_job(self) -> None:
        """All lines but the first, which starts a service."""
        block = lines_of(ROOT / "README.md", "", "submit")
        first, *others = [line.split("#")[0].strip() for line in block.strip().splitlines()]
        assert first == ".venv/bin/fgfi up"
        for line in others:
            self.line(line.replace("job_...", self.job_id).split())
            if found := re.search(r"\bjob_\w{8,}", self.said[-1]):
                self.job_id = found[0]

    def line(self, words: Sequence[str]) -> None:
        """One command, which must succeed. Printed with its answer: with `pytest -s` a transcript."""
        print("$", *words)
        words = [str(self.folder / words[0]), *words[1:]]
        done = self.run(words, cwd=self.folder, **self.settings)
        assert done.returncode == 0, f"{words}:\n{done.stdout}\n{done.stderr}"
        print(done.stdout)
        self.said.append(done.stdout)


def downloaded(folder: Path) -> set[str]:
    """The kinds of files that the last line brought."""
    return {file.suffix for file in (folder / "student").rglob("*") if file.is_file()}

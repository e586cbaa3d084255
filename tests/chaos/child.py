"""Stands in for a training of seconds: each step is hashed upon the one before, so that one lost or doubled shows.

python child.py FOLDER --events-fd N --control-fd N --parent PID ...

What it does stands in the job's `metadata`: steps a stage, a checkpoint every so many, seconds a step, how it ends. A
job whose metadata say `real` is trained by the real runner instead.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from fgfi_core import errors, events
from fgfi_core.spec import Stage
from worker import runner
from worker.runner import EXITS, Control, Speaker, die_with, show_faults

STAGES: tuple[Stage, ...] = ("teacher", "imitation")


def after_step(digest: str, stage: str, step: int) -> str:
    """The state after one more step."""
    return hashlib.sha256(f"{digest} {stage} {step}".encode()).hexdigest()


def uninterrupted(steps: int) -> str:
    """The state at the end of a run that nothing disturbed."""
    digest = ""
    for stage in STAGES:
        for step in range(1, steps + 1):
            digest = after_step(digest, stage, step)
    return digest


class Training:
    """One run, which goes on from what it finds in `out`."""

    def __init__(self, folder: Path, plan: dict[str, Any], speak: Speaker, control: Control) -> None:
        self._out = folder / "out"
        self._steps, self._every, self._pause = int(plan["steps"]), int(plan["every"]), float(plan["pause"])
        self._ends = plan["ends"]
        self._speak = speak
        self._control = control
        self._digest = ""

    def run(self) -> int:
        """Train all stages; returns the exit code."""
        self._speak(events.SpecResolved(resolved={"device": "none"}))
        for stage in STAGES:
            code = self._train(stage)
            if code is not None:
                return code
        if self._ends == "bad_data":
            self._speak(events.RunFailed(code="bad_data", message="a.xml:3: no boxes", hint="Mend it."))
            return errors.EXIT_BAD_DATA
        self._deliver()
        self._speak(events.RunFinished(result={"digest": self._digest}))
        return errors.EXIT_OK

    def _train(self, stage: Stage) -> int | None:
        final = self._out / f"checkpoints/{stage}-0/final.txt"
        if final.exists():
            self._digest = final.read_text()
            self._announce(stage, self._steps, final)
            return None
        begun = self._resume(final.parent)
        self._speak(events.StageStarted(stage=stage, seed=0, step=begun, steps=self._steps))
        for step in range(begun + 1, self._steps + 1):
            if self._control():
                self._save(stage, step - 1)
                return EXITS[self._control.asked or "preempt"]
            time.sleep(self._pause)
            self._digest = after_step(self._digest, stage, step)
            self._speak(events.Metrics(stage=stage, seed=0, step=step, epoch=0.0, values={"loss": 1.0 / step}))
            if step % self._every == 0:
                self._save(stage, step)
        self._write(final)
        self._announce(stage, self._steps, final)
        self._speak(events.StageFinished(stage=stage, seed=0, seconds=1.0, summary={}))
        return None

    def _resume(self, folder: Path) -> int:
        found = max(folder.glob("step-*.txt"), default=None)
        if found is None:
            return 0
        self._digest = found.read_text()
        return int(found.stem.removeprefix("step-"))

    def _save(self, stage: Stage, step: int) -> None:
        file = self._out / f"checkpoints/{stage}-0/step-{step:06d}.txt"
        self._write(file)
        self._announce(stage, step, file)

    def _write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part")
        draft.write_text(self._digest)
        draft.replace(file)

    def _announce(self, stage: Stage, step: int, file: Path) -> None:
        facts = self._facts(file)
        self._speak(
            events.CheckpointSaved(stage=stage, seed=0, step=step, final=file.stem == "final", **facts),
        )

    def _deliver(self) -> None:
        file = self._out / "student.txt"
        self._write(file)
        facts = self._facts(file)
        self._speak(
            events.ArtifactWritten(name="student", format="text", media_type="text/plain", facts={}, **facts),
        )

    def _facts(self, file: Path) -> dict[str, Any]:
        content = file.read_bytes()
        path = file.relative_to(self._out).as_posix()
        return {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def main() -> None:
    """Do what the command line says, as `worker.runner` does."""
    folder = Path(sys.argv[1])
    plan = json.loads((folder / "spec.json").read_text())["metadata"]
    if plan.get("real"):
        runner.main()
    given = dict(word.split("=", 1) for word in sys.argv[2:])
    die_with(int(given["--parent"]))
    show_faults()
    control, speak = Control(int(given["--control-fd"])), Speaker(int(given["--events-fd"]))
    os._exit(Training(folder, plan, speak, control).run())


if __name__ == "__main__":
    main()

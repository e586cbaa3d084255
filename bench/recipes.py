"""Train the arms of an experiment with the product's own `run`, and keep each result as it came.

    python bench/recipes.py --data DIR --arms bench/recipes/demo.yaml --out build/recipes

Each arm is a job spec: the file's `base` with the arm's own fields laid over it. An arm that `shares` stages of an
earlier arm takes their results instead of training the same again. A finished arm is not trained again, so an
interrupted experiment continues. `bench/results.py` turns the results into the tables of docs/results.md.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from fgfi_core import run
from fgfi_core.environment import training_environment
from fgfi_core.events import Event, StageFinished
from fgfi_core.spec import JobSpec


def lay_over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` in place of or, for mappings, merged into its fields; a `name` swaps a mapping whole."""
    merged = dict(base)
    for key, value in changes.items():
        swap = not isinstance(value, dict) or not isinstance(base.get(key), dict) or "name" in value
        merged[key] = value if swap else lay_over(base[key], value)
    return merged


def take_shared(shared: dict[str, list[str]], arms: Path, out: Path) -> None:
    """Copy finished stages of other arms, {arm: [stage]}, into the folder `out`; the caller vouches that they fit."""
    for arm, stages in shared.items():
        for stage in stages:
            for folder in (arms / arm / "checkpoints").glob(f"{stage}-*"):
                shutil.copytree(folder, out / "checkpoints" / folder.name, dirs_exist_ok=True)


def say(event: Event) -> None:
    """One line per finished stage."""
    if isinstance(event, StageFinished):
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in event.summary.items())
        print(f"  {event.stage} (seed {event.seed}): {event.seconds:.0f} s  {numbers}", flush=True)


def main() -> None:
    """Train what is not trained yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--arms", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", help="names of arms; default: all")
    options = parser.parse_args()
    experiment = yaml.safe_load(options.arms.read_text())
    for name, changes in experiment["arms"].items():
        if options.only and name not in options.only:
            continue
        out = options.out / options.arms.stem / name
        if (out / "result.json").exists():
            continue
        print(name, flush=True)
        started = time.monotonic()
        fields = {"name": name, **(changes or {})}
        take_shared(fields.pop("shares", {}), out.parent, out)
        spec = JobSpec.model_validate(lay_over(experiment["base"], fields))
        run(spec, options.data, out, say)
        print(f"  {time.monotonic() - started:.0f} s in all", flush=True)


if __name__ == "__main__":
    # The allocator must be there before the process starts.
    wanted = training_environment()
    if wanted.keys() - os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})  # noqa: S606 - this script
    main()

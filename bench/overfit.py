"""Can every detector learn? Eight images of BCCD by heart, from scratch, and its mAP on them.

    python -m bench.overfit --data path/to/bccd [--only NAME...]

Writes docs/results/overfit.json as it goes; a detector that stands there is not trained again unless it is named.
`bench/results.py` makes the table of docs/results.md from it.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bench.trial import REGIONS, Trial
from fgfi_core import data
from fgfi_core.environment import training_environment
from fgfi_core.spec import DETECTORS

RESULTS = Path(__file__).parent.parent / "docs" / "results" / "overfit.json"
IMAGES = 8


class Pace(NamedTuple):
    """How an eight-image lesson goes; learning_rate None is the recipe's at this batch size.

    regions: that two-stage detectors sample in an image.
    """

    steps: int
    batch: int
    learning_rate: float | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    optimizer: Literal["sgd", "adamw"] = "sgd"
    image_size: tuple[int, int] = (256, 192)
    regions: int = REGIONS


# The recipes' rates are for weights from ImageNet and for thousands of steps; here both are missing.
LIGHT = Pace(300, 4)
HEAVY = Pace(240, 2, None, "bf16", "adamw")
# A platelet is 15 pixels wide at 256x192, half a cell of MobileNet's maps at stride 32: nothing is there to locate it.
# FCOS weighs points alike, and of a hundred that learn boxes two are a platelet's: these boxes come last.
PACES = {
    "faster-rcnn-mobilenet-v3-fpn": Pace(300, 2, 1e-3, "bf16", "adamw", (448, 336), 64),
    "fcos": Pace(500, 2, 1e-3, "bf16", "adamw"),
    "faster-rcnn-c4": Pace(300, 2, 1e-3, "bf16", "adamw", regions=64),
    "retinanet": Pace(400, 2, None, "bf16", "adamw"),
    "shuffledet": Pace(400, 4, optimizer="adamw"),
    "ssd-shufflenetv2": LIGHT,
    "ssd-efficientnet-lite0": LIGHT,
    "ssdlite": LIGHT,
}


def overfit(name: str, folder: Path) -> dict[str, Any]:
    """Train one detector and say how it scores on what it was trained on."""
    dataset = data.read(folder)
    pace = PACES.get(DETECTORS[name].family, HEAVY)
    trial = Trial(
        dataset.splits["trainval"][:IMAGES],
        dataset.classes,
        pace.image_size,
        pace.batch,
        pace.steps,
        pace.learning_rate,
        precision=pace.precision,
        optimizer=pace.optimizer,
        regions=pace.regions,
    )
    trained, score = trial.train(trial.create(name))
    losses = [values["loss"] for _, _, values in trained.history if "loss" in values]
    return {
        "detector": name,
        "parameters": DETECTORS[name].parameters,
        "image_size": list(pace.image_size),
        "steps": trained.steps,
        "seconds": round(trained.seconds),
        "loss": [round(losses[0], 3), round(losses[-1], 3)],
        "map50": round(score.map50, 4),
    }


def main() -> None:
    """Train what is not trained yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    for name in options.only or DETECTORS:
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        if not options.only and any(row["detector"] == name for row in rows):
            continue
        row = overfit(name, options.data)
        print(row, flush=True)
        # Read again: several of these may run side by side.
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        kept = {one["detector"]: one for one in rows} | {name: row}
        order = [kept[known] for known in DETECTORS if known in kept]
        RESULTS.write_text(json.dumps(order, indent=1) + "\n")


if __name__ == "__main__":
    # The allocator must be there before the process starts.
    wanted = training_environment()
    if wanted.keys() - os.environ.keys():
        os.execve(sys.executable, [sys.executable, "-m", "bench.overfit", *sys.argv[1:]], {**os.environ, **wanted})  # noqa: S606 - this script
    main()

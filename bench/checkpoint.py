"""What a checkpoint costs the training that it is taken of: inline, against beside it.

    python -m bench.checkpoint [--rounds 7] [--threads 1] [--folder FOLDER]

A checkpoint follows every step of retinanet-resnet50-fpn with SGD's momentum and the weights of the best epoch.
Inline: the loop waits until it is on disk and hashed. Beside: it waits for a copy in the host's memory, and for the
one before to be on disk. "Alone" is a checkpoint with none before it on its way, as at the usual interval of minutes.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from fgfi_core.detectors import Target, create
from fgfi_core.training.beside import Beside, copied
from fgfi_core.training.checkpoint import CheckpointFolder, random_state

DETECTOR, IMAGE_SIZE, BATCH = "retinanet-resnet50-fpn", (320, 320), 2


class Training:
    """Steps on one batch, and the state that a checkpoint of them holds."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.detector = create(DETECTOR, 3, IMAGE_SIZE).to(memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.SGD(self.detector.parameters(), lr=1e-5, momentum=0.9)
        self.images = torch.rand(BATCH, 3, *IMAGE_SIZE[::-1]).contiguous(memory_format=torch.channels_last)
        self.targets = [Target(torch.tensor([[40.0, 40.0, 200.0, 200.0]]), torch.tensor([0])) for _ in range(BATCH)]
        self.number = 0
        self.step()
        self.best = copied(self.detector.state_dict())

    def step(self) -> None:
        """Forward, backward, update."""
        outputs = self.detector.heads(self.detector.features(self.images), self.targets)
        loss = torch.stack(list(self.detector.losses(outputs, self.targets).values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.number += 1

    def state(self) -> dict[str, Any]:
        """What the loop keeps, by reference."""
        rest = {"random": random_state(), "best": self.best}
        return {"model": self.detector.state_dict(), "optimizer": self.optimizer.state_dict(), **rest}

    def copy(self) -> dict[str, Any]:
        """As the loop copies it: the weights of the best do not change."""
        state = self.state()
        return {**state, "model": copied(state["model"]), "optimizer": copied(state["optimizer"])}


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="On the disk to be measured; default: the temporary one.")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    training = Training()
    names = ("step", "inline", "beside", "alone", "copy")
    times: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        checkpoints = CheckpointFolder(Path(folder), "teacher", 0)
        with Beside(checkpoints) as beside:

            def begin() -> None:
                beside.finished(wait=True)
                beside.begin(training.number, training.copy())

            # Each round takes each in its turn, so that a busy moment of the machine meets all of them alike.
            for round_ in range(given.rounds + 1):
                took: dict[str, float] = {"step": timed(training.step)}
                took["inline"] = timed(lambda: checkpoints.save_step(training.number, training.state()))
                took["copy"] = timed(training.copy)
                took["alone"] = timed(begin)
                training.step()
                took["beside"] = timed(begin)
                beside.finished(wait=True)
                if round_:
                    for name in names:
                        times[name].append(took[name])
        size = next(checkpoints.folder.iterdir()).stat().st_size / 1e6
    medians = {name: statistics.median(times[name]) for name in names}
    print(f"{DETECTOR}, {BATCH} images of {IMAGE_SIZE}, {given.threads} threads; a checkpoint holds {size:.0f} MB")
    print(f"a step without a checkpoint              {medians['step']:8.0f} ms")
    print(f"stall, inline                            {medians['inline']:8.0f} ms")
    print(f"stall, beside, one at every step         {medians['beside']:8.0f} ms  {_ratio(times, 'beside')}")
    print(f"stall, beside, alone                     {medians['alone']:8.0f} ms  {_ratio(times, 'alone')}")
    print(f"of it the copy to the host's memory      {medians['copy']:8.0f} ms")


def _ratio(times: dict[str, list[float]], name: str) -> str:
    """How many times less than inline: the median over rounds, and the least and most."""
    ratios = [inline / one for inline, one in zip(times["inline"], times[name], strict=True)]
    return f"{statistics.median(ratios):5.1f}x less ({min(ratios):.1f} to {max(ratios):.1f})"


if __name__ == "__main__":
    main()

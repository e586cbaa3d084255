"""How long the readers take to index a data set, and how much memory: aim, 100,000 boxes in seconds, memory flat.

    python -m bench.indexing [--boxes 10000 50000 100000] [--formats coco voc kitti yolo] [--profile]

Made-up data of ten boxes an image, small JPEG files; every row is a process of its own that reads the folder twice, so
that the second time finds the files in memory. CPU s: what the process itself took of that time. Peak MB: what it took
beyond its start; an index must hold its boxes, so flat means that MB for each 10,000 boxes stay the same however many
there are.
"""

import argparse
import cProfile
import io
import json
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fgfi_core import data
from fgfi_core.data.convert import FORMATS
from fgfi_core.data.convert.conversion import WRITERS
from fgfi_core.data.convert.output import Output
from fgfi_core.data.dataset import Dataset, Example

SIZE = (64, 48)
PER_IMAGE = 10
CLASSES = ("Car", "Pedestrian", "Cyclist")


def main() -> None:
    """Print a row for each format and count of boxes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, nargs="+", default=[10_000, 50_000, 100_000])
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--profile", action="store_true", help="Print where the time goes.")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        _measure(arguments.read, profile=arguments.profile)
        return
    print("format      boxes  images   seconds     CPU s   CPU s / 10k   peak MB   MB / 10k")
    for format_ in arguments.formats:
        for boxes in arguments.boxes:
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch, "data")
                make(folder, format_, boxes)
                command = [sys.executable, "-m", "bench.indexing", "--read", str(folder)]
                done = subprocess.run([*command, *["--profile"] * arguments.profile], check=True, capture_output=True)
            head, _, rest = done.stdout.decode().partition("\n")
            seconds, busy, peak = json.loads(head)
            tens = boxes / 10_000
            row = f"{format_:8s} {boxes:8d} {boxes // PER_IMAGE:7d} {seconds:9.2f} {busy:9.2f} {busy / tens:13.3f}"
            print(f"{row} {peak:9.1f} {peak / tens:10.2f}", flush=True)
            print(rest, end="")


def make(folder: Path, format_: str, boxes: int) -> None:
    """Write a data set of this many boxes by the product's own writers; one split."""
    folder.mkdir()
    photo = io.BytesIO()
    Image.new("RGB", SIZE, "grey").save(photo, "JPEG")
    pictures = folder.parent / "pictures"
    pictures.mkdir()
    rng = np.random.default_rng(0)
    examples = []
    for number in range(boxes // PER_IMAGE):
        path = pictures / f"{number:06d}.jpg"
        path.write_bytes(photo.getvalue())
        examples.append(_example(path, rng))
    WRITERS[format_](Dataset("made", CLASSES, {"train": tuple(examples)}), Output(folder, "link"))


def _example(path: Path, rng: np.random.Generator) -> Example:
    corners = rng.uniform(0, 1, (PER_IMAGE, 2, 2)) * (np.array(SIZE) / 2 - 2)
    corners[:, 1] += np.array(SIZE) / 2
    boxes = corners.reshape(PER_IMAGE, 4).astype(np.float32)
    labels = rng.integers(0, len(CLASSES), PER_IMAGE)
    return Example(path.stem, path, *SIZE, boxes, labels, np.zeros(PER_IMAGE, np.bool_))


def _measure(folder: Path, *, profile: bool) -> None:
    before = _peak()
    data.read(folder)
    taken = _peak() - before
    start, busy = time.perf_counter(), time.process_time()
    dataset = data.read(folder)
    print(json.dumps([time.perf_counter() - start, time.process_time() - busy, taken]))
    assert dataset.splits["train"]  # noqa: S101 - keeps the second index alive until here
    if profile:
        with cProfile.Profile() as calls:
            data.read(folder)
        pstats.Stats(calls).sort_stats("tottime").print_stats(25)


def _peak() -> float:
    """Peak resident megabytes of this process; getrusage would count what its parent had before it began."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    main()

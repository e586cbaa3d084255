"""One training by the product's own loop on a few images, for measurements that need no whole job."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from fgfi_core import imitation
from fgfi_core.data.dataset import Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import EvalLoader, TrainLoader
from fgfi_core.detectors import Detector, create, num_anchor_shapes
from fgfi_core.detectors.anchors import kmeans_shapes
from fgfi_core.detectors.faster_rcnn import FasterRCNN
from fgfi_core.evaluation.detections import detect_all
from fgfi_core.evaluation.voc import evaluate
from fgfi_core.results import Score
from fgfi_core.spec import Augmentation, Imitation, Resources, Schedule
from fgfi_core.spec.recipes import recipe
from fgfi_core.training.checkpoint import CheckpointFolder, seed_all
from fgfi_core.training.device import choose
from fgfi_core.training.loop import train
from fgfi_core.training.task import Imitate, Task, Trained

# With the 256 of the recipe the box heads take nine tenths of a step on a CPU.
REGIONS = 32
NO_AUGMENTATION = Augmentation(flip=False, photometric=False, shift=False)


@dataclass(frozen=True)
class Trial:
    """Images and the schedule they are trained by; image_size: (width, height) in pixels.

    regions: that two-stage detectors sample in an image.
    """

    examples: Sequence[Example]
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    batch_size: int
    steps: int
    learning_rate: float | None = None
    augmentation: Augmentation = NO_AUGMENTATION
    measured: Sequence[Example] = ()
    precision: Literal["fp32", "bf16"] = "fp32"
    optimizer: Literal["sgd", "adamw"] = "sgd"
    regions: int = REGIONS

    def create(self, name: str, image_size: tuple[int, int] | None = None) -> Detector:
        """A detector with seed 0's weights and shapes fitted to the images."""
        size = image_size or self.image_size
        shapes = None
        if num_anchor_shapes(name):
            scaled = [Frame(size).to_input(e.boxes, (e.width, e.height)) for e in self.examples]
            sides = [boxes[:, 2:] - boxes[:, :2] for boxes in scaled]
            fitted = kmeans_shapes(torch.cat([torch.from_numpy(s) for s in sides]).numpy(), num_anchor_shapes(name), 0)
            shapes = [(float(w), float(h)) for w, h in fitted]
        seed_all(0)
        detector = create(name, len(self.classes), size, anchor_shapes=shapes)
        if isinstance(detector, FasterRCNN):
            detector.roi_heads.fg_bg_sampler.batch_size_per_image = self.regions
        return detector

    def train(
        self, detector: Detector, method: Imitation | None = None, teacher: Detector | None = None
    ) -> tuple[Trained, Score]:
        """Train to the end, as the imitating student of `teacher` when there is one, and measure."""
        imitate = None
        if method is not None and teacher is not None:
            imitate = Imitate(imitation.create(method, teacher, detector), method)
        per_epoch = max(1, len(self.examples) // self.batch_size)
        epochs = math.ceil(self.steps / per_epoch)
        rule = recipe(detector.name, self.optimizer)
        schedule = Schedule(
            epochs=epochs,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate or rule.rate(self.batch_size),
            warmup_steps=min(50, self.steps // 5),
            evaluate_every=epochs,
            checkpoint_seconds=86_400,
        )
        placement = choose(Resources(), self.precision)
        torch.set_num_threads(placement.threads)
        measured = EvalLoader(self.measured or self.examples, detector.frame, self.batch_size)

        def score(model: Detector) -> Score:
            found = detect_all(model, measured, autocast=placement.autocast)
            return evaluate(found, measured.examples, self.classes).to_score()

        loader = TrainLoader(self.examples, detector.frame, self.batch_size, self.augmentation, seed=0)
        with tempfile.TemporaryDirectory() as folder, loader:
            trained = train(
                Task(
                    stage="imitation" if imitate else "baseline",
                    seed=0,
                    detector=detector,
                    schedule=schedule,
                    epochs=epochs,
                    loader=loader,
                    evaluate=score,
                    placement=placement,
                    checkpoints=CheckpointFolder(Path(folder), "baseline", 0),
                    emit=lambda _: None,
                    should_stop=lambda: False,
                    imitate=imitate,
                    bias_factor=rule.bias_factor,
                )
            )
        return trained, trained.score

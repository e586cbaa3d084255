"""The trainings of a job in their order: the teacher once, then for each seed the plain and the imitating student."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fgfi_core.data.dataset import Dataset
from fgfi_core.data.loader import EvalLoader, TrainLoader
from fgfi_core.detectors import create
from fgfi_core.detectors.detector import Detector
from fgfi_core.evaluation.detections import ImageDetections, detect_all
from fgfi_core.evaluation.voc import evaluate
from fgfi_core.imitation.fine_grained import FineGrainedImitation
from fgfi_core.results import Role, Score, Training
from fgfi_core.spec import FineGrained, Stage
from fgfi_core.training.checkpoint import CheckpointFolder, seed_all
from fgfi_core.training.device import Placement
from fgfi_core.training.loop import train
from fgfi_core.training.resolve import ResolvedSpec
from fgfi_core.training.task import Emit, Imitate, Task, Trained


@dataclass(frozen=True)
class Finished:
    """A trained detector, at its best weights, ready to detect."""

    role: Role
    seed: int
    detector: Detector
    trained: Trained

    def training(self) -> Training:
        """As the job's result records it."""
        return Training(
            role=self.role,
            detector=self.detector.name,
            seed=self.seed,
            score=self.trained.score,
            best_step=self.trained.best_step,
            steps=self.trained.steps,
            seconds=self.trained.seconds,
            imitation_weight=self.trained.imitation_weight,
        )


@dataclass(frozen=True)
class Bench:
    """What every training of a job shares: spec, data, device, output folder and the way to talk to the caller."""

    resolved: ResolvedSpec
    dataset: Dataset
    placement: Placement
    out_dir: Path
    emit: Emit
    should_stop: Callable[[], bool]
    val: EvalLoader

    def create(self, name: str) -> Detector:
        """A new detector for the job's data; its weights come from the current random state."""
        return create(
            name,
            len(self.resolved.classes),
            self.resolved.spec.schedule.image_size,
            anchor_shapes=self.resolved.anchor_shapes[name],
        )

    def detect(self, detector: Detector) -> list[ImageDetections]:
        """What a detector finds in the val split."""
        return detect_all(detector, self.val, autocast=self.placement.autocast)

    def score(self, detector: Detector) -> Score:
        """How it scores there."""
        return evaluate(self.detect(detector), self.val.examples, self.resolved.classes).to_score()


def train_all(bench: Bench) -> Iterator[Finished]:
    """Every training of the spec, or its result from the checkpoint of an earlier call."""
    spec = bench.resolved.spec
    teacher = _train(bench, "teacher", "teacher", spec.teacher.detector, spec.seeds[0], spec.teacher.epochs)
    yield teacher
    for seed in spec.seeds:
        if spec.baseline or not isinstance(spec.method, FineGrained):
            yield _train(bench, "baseline", "plain", spec.student.detector, seed)
        if isinstance(spec.method, FineGrained):
            yield _train(bench, "imitation", "imitated", spec.student.detector, seed, teacher=teacher.detector)


def _train(
    bench: Bench,
    stage: Stage,
    role: Role,
    name: str,
    seed: int,
    epochs: int | None = None,
    teacher: Detector | None = None,
) -> Finished:
    spec = bench.resolved.spec
    # The same seed gives plain and imitating student the same first weights; adapters are drawn after them.
    seed_all(seed)
    detector = bench.create(name)
    imitate = None
    if teacher is not None and isinstance(spec.method, FineGrained):
        imitate = Imitate(FineGrainedImitation(spec.method, teacher, detector), spec.method)
    with _loader(bench, seed) as loader:
        trained = train(
            Task(
                stage=stage,
                seed=seed,
                detector=detector,
                schedule=spec.schedule,
                epochs=epochs or spec.schedule.epochs,
                loader=loader,
                evaluate=bench.score,
                placement=bench.placement,
                checkpoints=CheckpointFolder(bench.out_dir, stage, seed),
                emit=bench.emit,
                should_stop=bench.should_stop,
                imitate=imitate,
            )
        )
    detector.load_state_dict(trained.weights)
    bench.placement.place(detector)
    detector.eval()
    return Finished(role, seed, detector, trained)


def _loader(bench: Bench, seed: int) -> TrainLoader:
    spec = bench.resolved.spec
    on_gpu = bench.placement.device.type == "cuda"
    asked = spec.resources.loader_workers
    # On a CPU the loader would take the cores that train; beside a GPU they are idle.
    auto = min(8, bench.placement.threads) if on_gpu else 0
    return TrainLoader(
        bench.dataset.splits[spec.dataset.train],
        spec.schedule.image_size,
        int(spec.schedule.batch_size),
        spec.schedule.augmentation,
        seed,
        workers=auto if asked == "auto" else asked,
        pin=on_gpu,
    )

"""The trainings of a job in their order: the teacher once, then for each seed the plain and the imitating student."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fgfi_core import events, imitation
from fgfi_core.data.cache import DEFAULT_BUDGET
from fgfi_core.data.dataset import Dataset, Example
from fgfi_core.data.frame import Frame
from fgfi_core.data.loader import EvalLoader, TrainLoader
from fgfi_core.data.unlabelled import stripped
from fgfi_core.detectors import create
from fgfi_core.detectors.detector import Detector
from fgfi_core.evaluation.detections import ImageDetections, detect_all
from fgfi_core.evaluation.voc import evaluate
from fgfi_core.processes import processes, rank
from fgfi_core.results import Role, Score, Training
from fgfi_core.spec import Imitation, Stage
from fgfi_core.spec.recipes import recipe
from fgfi_core.training.checkpoint import CheckpointFolder, seed_all
from fgfi_core.training.device import Placement
from fgfi_core.training.initialise import from_file, from_imagenet, from_teacher
from fgfi_core.training.loop import train
from fgfi_core.training.pulse import OnImages, WatchedLoader
from fgfi_core.training.resolve import ResolvedSpec, Side, Weights
from fgfi_core.training.task import Emit, Imitate, Task, Trained
from fgfi_core.training.unlabelled import Unlabelled


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
            imitation_weights=self.trained.imitation_weights,
        )


def _ignore(_images: int) -> None:
    """The `seen` of a bench that nobody watches."""


@dataclass(frozen=True)
class Bench:
    """What every training of a job shares: spec, data, device, output folder and the way to talk to the caller.

    seen: hears of images of the val split that were looked at, by their count.
    """

    resolved: ResolvedSpec
    dataset: Dataset
    placement: Placement
    out_dir: Path
    emit: Emit
    should_stop: Callable[[], bool]
    weights: Weights
    seen: OnImages = _ignore
    _val: dict[Frame, EvalLoader] = field(default_factory=dict)

    def create(self, side: Side) -> Detector:
        """A new detector for the job's data; its weights come from the current random state."""
        frame = self.resolved.frame(side)
        return create(
            self.resolved.detector(side),
            len(self.resolved.classes),
            frame.size,
            anchor_shapes=self.resolved.anchor_shapes[side],
            resize=frame.resize,
        )

    def epochs(self, side: Side) -> int:
        """Epochs of the side's trainings."""
        own = self.resolved.spec.teacher.epochs if side == "teacher" else None
        return self.resolved.spec.schedule.epochs if own is None else own

    def steps(self, side: Side) -> int:
        """Steps of one of the side's trainings; what is left over at the end of an epoch is dropped."""
        images = len(self.dataset.splits[self.resolved.spec.dataset.train])
        return self.epochs(side) * max(1, images // int(self.resolved.spec.schedule.batch_size))

    def val(self, side: Side) -> EvalLoader:
        """The val split at the side's input size."""
        spec, frame = self.resolved.spec, self.resolved.frame(side)
        if frame not in self._val:
            batch_size = int(spec.schedule.batch_size)
            self._val[frame] = WatchedLoader(self.dataset.splits[spec.dataset.val], frame, batch_size, self.seen)
        return self._val[frame]

    def detect(self, detector: Detector, side: Side) -> list[ImageDetections]:
        """What a detector finds in the val split."""
        return detect_all(detector, self.val(side), autocast=self.placement.autocast)

    def score(self, detector: Detector, side: Side) -> Score:
        """How it scores there."""
        return evaluate(self.detect(detector, side), self.val(side).examples, self.resolved.classes).to_score()


def train_all(bench: Bench) -> Iterator[Finished]:
    """Every training of the spec, or its result from the checkpoint of an earlier call."""
    spec = bench.resolved.spec
    teacher = _train(bench, "teacher", "teacher", spec.seeds[0])
    yield teacher
    for seed in spec.seeds:
        if spec.baseline or not isinstance(spec.method, Imitation):
            yield _train(bench, "baseline", "plain", seed, teacher.detector)
        if isinstance(spec.method, Imitation):
            yield _train(bench, "imitation", "imitated", seed, teacher.detector)


def _train(bench: Bench, stage: Stage, role: Role, seed: int, teacher: Detector | None = None) -> Finished:
    """Train the detector of a role, or take its result from a checkpoint. teacher: None for the teacher itself."""
    spec = bench.resolved.spec
    side: Side = "teacher" if teacher is None else "student"
    # The same seed gives plain and imitating student the same first weights; adapters are drawn after them.
    seed_all(seed)
    detector = bench.create(side)
    text = initialise(bench, detector, side, teacher)
    if text:
        bench.emit(events.Log(level="info", message=f"{detector.name} begins with {text}.", code="initialised"))
    with ExitStack() as open_loaders:
        loader = open_loaders.enter_context(_loader(bench, side, seed, bench.dataset.splits[spec.dataset.train]))
        imitate = None
        if teacher is not None and role == "imitated" and isinstance(spec.method, Imitation):
            module = imitation.create(spec.method, teacher, detector)
            imitate = Imitate(module, spec.method, open_loaders.enter_context(unlabelled(bench, seed)))
        trained = train(
            Task(
                stage=stage,
                seed=seed,
                detector=detector,
                schedule=spec.schedule,
                epochs=bench.epochs(side),
                loader=loader,
                evaluate=lambda model: bench.score(model, side),
                placement=bench.placement,
                checkpoints=CheckpointFolder(bench.out_dir, stage, seed),
                emit=bench.emit,
                should_stop=bench.should_stop,
                imitate=imitate,
                bias_factor=recipe(detector.name, spec.schedule.optimizer).bias_factor,
            )
        )
    detector.load_state_dict(trained.weights)
    bench.placement.place(detector)
    detector.eval()
    return Finished(role, seed, detector, trained)


def initialise(bench: Bench, detector: Detector, side: Side, teacher: Detector | None) -> str:
    """Give a fresh detector the first weights that the spec asks for; says what came from where, if anything did."""
    spec = bench.resolved.spec
    init = spec.teacher.init if side == "teacher" else spec.student.init
    if init == "imagenet":
        from_imagenet(detector)
        return f"backbone with ImageNet weights ({detector.info.imagenet})"
    if init == "file":
        fresh = from_file(detector, bench.weights[side], complete=side == "teacher" and spec.teacher.epochs == 0)
        return f"weights of {bench.weights[side].name}" + (f"; fresh: {', '.join(fresh)}" if fresh else "")
    if init == "teacher-slice" and teacher is not None:
        return f"{from_teacher(detector, teacher):.0%} of the weights cut out of the teacher's"
    return ""


@contextmanager
def unlabelled(bench: Bench, seed: int) -> Iterator[Unlabelled | None]:
    """The images without labels that the imitating student sees beside the others; None where the spec names none."""
    spec = bench.resolved.spec
    if spec.dataset.unlabelled is None:
        yield None
        return
    examples = [stripped(example) for example in bench.dataset.splits[spec.dataset.unlabelled]]
    with _loader(bench, "student", seed, examples) as loader:
        yield Unlabelled(loader, spec.dataset.unlabelled_score)


def _loader(bench: Bench, side: Side, seed: int, examples: Sequence[Example]) -> TrainLoader:
    spec = bench.resolved.spec
    on_gpu = bench.placement.device.type == "cuda"
    asked = spec.resources.loader_workers
    # On a CPU the loader would take the cores that train; beside a GPU they are idle.
    auto = min(8, bench.placement.threads) if on_gpu else 0
    return TrainLoader(
        examples,
        bench.resolved.frame(side),
        int(spec.schedule.batch_size),
        spec.schedule.augmentation,
        seed,
        workers=auto if asked == "auto" else asked,
        pin=on_gpu,
        cache_bytes=DEFAULT_BUDGET // processes(),
        part=(rank(), processes()),
    )

"""The imitation loss moves the student's backbone, and not out of all proportion to what the labels do."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fgfi_core.data.loader import Batch, to_device
from fgfi_core.imitation import GradientBalance, StudentPass
from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.preflight.pair import Pair, batch
from fgfi_core.training.device import Placement
from fgfi_core.training.torch_errors import explained

IMAGES = 4
# Of the detection loss's gradient, before an adapter has learned anything: that makes it a hundred times smaller.
NOTHING = 1e-6
# Of a teacher that is not trained yet, whose maps may be a hundred times smaller than they will be.
PERHAPS_NOTHING = NOTHING / 100
SURELY_NOTHING = PERHAPS_NOTHING / 100
TOO_MUCH = 10.0

HINT = "The method's adapters must be part of the graph from the student's maps to the loss, and its weight above 0."


@dataclass(frozen=True)
class Pull:
    """Gradient norms at the student's backbone. imitation: weighted as the training's first steps would."""

    detection: float
    imitation: float
    weights: dict[str, float]
    cells: int | None

    @property
    def ratio(self) -> float:
        """Imitation over detection."""
        return self.imitation / self.detection if self.detection else math.inf


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses an imitation whose gradient is zero, not finite, or next to nothing.

    Its exact size means something once the teacher is trained. Before, only what is far too small is refused, so that
    no teacher is trained for it, and what is too small warned of; what would drown the labels is left for later.
    """
    bench, pair, trained = subject.bench, subject.pair, subject.teacher is not None
    if pair is None:
        return
    images = batch(bench, "student", IMAGES)
    with explained(pair.student, bench.resolved.spec.schedule, len(images.targets)):
        pull = measure(pair, images, bench.placement)
    numbers = {
        "detection_gradient": pull.detection,
        "imitation_gradient": pull.imitation,
        "gradient_ratio": pull.ratio,
        **{f"weight/{name}": weight for name, weight in pull.weights.items()},
    }
    finite = {name: number for name, number in numbers.items() if math.isfinite(number)}
    if pull.cells == 0:
        text = f"none of {len(images.targets)} images has a cell to imitate: the imitation gradient was not measured."
        yield Verdict("warning", text, hint="See what the check 'region' says.", numbers=finite)
    elif len(finite) < len(numbers):
        text = "a gradient at the student's backbone is not finite before the first step."
        yield Verdict("refused", text, hint="Set schedule.precision to fp32, or other first weights.", numbers=finite)
    elif pull.imitation == 0 or pull.ratio < (NOTHING if trained else SURELY_NOTHING):
        yield Verdict(
            "refused",
            f"the imitation loss does not move the student's backbone: its weighted gradient there is "
            f"{pull.imitation:.3g}, that of the labels {pull.detection:.3g}.",
            hint=f"{HINT} Set method.weight to 'auto' unless you know the number.",
            numbers=finite,
            judgement=pull.imitation > 0,
        )
    elif pull.ratio < PERHAPS_NOTHING:
        yield Verdict(
            "warning",
            f"with a teacher that is not trained yet, imitation pulls only {pull.ratio:.3g} times as hard at the "
            f"student's backbone as the labels do; with the trained one, below {NOTHING:g} is refused.",
            hint="Set method.weight to 'auto', or a larger number.",
            numbers=finite,
        )
    elif trained and pull.ratio > TOO_MUCH:
        yield Verdict(
            "warning",
            f"the imitation loss pulls {pull.ratio:.3g} times as hard at the student's backbone as the labels do.",
            hint="Set method.weight to 'auto', or a smaller number.",
            numbers=finite,
        )
    else:
        text = f"imitation pulls {pull.ratio:.3g} times as hard at the student's backbone as the labels do"
        text += "" if trained else ", with a teacher that is not trained yet"
        yield Verdict("ok", f"{text}, on {len(images.targets)} images.", numbers=finite)


def measure(pair: Pair, images: Batch, placement: Placement) -> Pull:
    """One forward pass in train mode, and three backward ones; images: on the CPU. No weight is changed."""
    student, imitate = pair.student, pair.imitate
    student.train()
    imitate.module.train()
    inputs, targets = to_device(images, placement.device, memory_format=torch.channels_last)
    with placement.autocast():
        maps = student.features(inputs)
        outputs = student.heads(maps, targets)
        detection = torch.stack(list(student.losses(outputs, targets).values())).sum()
        added = imitate.module(StudentPass(inputs, targets, maps, outputs))
    own = imitate.module.teacher.matched_student(maps)
    weights = {name: _weight(pair, name, term, detection, own) for name, term in added.items()}
    weighted = torch.stack([weights[name] * term for name, term in added.items()]).sum()
    backbone = _behind(student, own)
    cells = None
    if isinstance(imitate.module, MaskedImitation):
        boxes = imitate.module.teacher.boxes([target.boxes for target in targets])
        cells = int(sum(int(mask.sum()) for mask in imitate.module.masks(boxes)))
    return Pull(_norm(detection, backbone), _norm(weighted, backbone), weights, cells)


def _weight(pair: Pair, name: str, term: Tensor, detection: Tensor, maps: Sequence[Tensor]) -> float:
    given = pair.imitate.method.terms()[name]
    if given.weight != "auto":
        return float(given.weight)
    if not term.requires_grad:
        return 0.0
    balance = GradientBalance(given.balance, steps=1)
    balance.update(detection, term, maps)
    return balance.value or 0.0


def _behind(student: nn.Module, maps: Sequence[Tensor]) -> list[nn.Parameter]:
    """The trainable parameters that the maps depend on."""
    parameters = [parameter for parameter in student.parameters() if parameter.requires_grad]
    total = torch.stack([one.float().sum() for one in maps]).sum()
    if not total.requires_grad:
        return []
    gradients: Sequence[Tensor | None] = torch.autograd.grad(total, parameters, retain_graph=True, allow_unused=True)
    return [parameter for parameter, one in zip(parameters, gradients, strict=True) if one is not None]


def _norm(loss: Tensor, parameters: Sequence[nn.Parameter]) -> float:
    if not loss.requires_grad or not parameters:
        return 0.0
    gradients: Sequence[Tensor | None] = torch.autograd.grad(
        loss, list(parameters), retain_graph=True, allow_unused=True
    )
    norms = [torch.linalg.vector_norm(one.float()) for one in gradients if one is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0

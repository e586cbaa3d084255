"""`soft-label`: distillation on class outputs (Hinton et al., 2015; D in the ablation of Wang et al., CVPR 2019)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from fgfi_core.detectors.detector import Detector
from fgfi_core.errors import BadSpec
from fgfi_core.imitation.imitation import Imitation, StudentPass
from fgfi_core.imitation.precision import exact
from fgfi_core.imitation.teacher import FrozenTeacher
from fgfi_core.processes import counts, processes
from fgfi_core.spec.methods import FineGrainedSoftLabel, SoftLabel

_ANCHOR_TOLERANCE = 1e-3  # as a share of the image; the same shapes at two input sizes differ by rounding alone


class SoftLabelImitation(Imitation):
    """The student learns the teacher's class distributions at every slot, background included where there is one.

    It has no parameters. Over processes the slots of all are counted, so that the mean of their gradients is that of
    one process.

    Raises BadSpec when the two detectors' class outputs are not about the same things.
    """

    reads_outputs = True

    def __init__(self, method: SoftLabel | FineGrainedSoftLabel, teacher: FrozenTeacher) -> None:
        super().__init__(teacher)
        self._temperature = method.temperature
        self._divergence = binary_divergence if _is_sigmoid(teacher) else softmax_divergence
        difference = _difference(teacher)
        if difference:
            raise _not_comparable(teacher, difference)

    def forward(self, student: StudentPass) -> dict[str, Tensor]:
        """`soft_label`, see the divergences below."""
        return self.compare(student, self.teacher.maps(student.images))

    def compare(self, student: StudentPass, teacher_maps: Sequence[Tensor]) -> dict[str, Tensor]:
        """The same with the teacher's maps, all of them, already at hand."""
        own = self.teacher.student.class_logits(student.outputs)
        wanted = self.teacher.class_logits_like(teacher_maps, student.outputs)
        if own.shape != wanted.shape:
            raise _not_comparable(self.teacher, f"they are {list(own.shape)} and {list(wanted.shape)}")
        return {"soft_label": self._divergence(own, wanted, self._temperature)}


def softmax_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 / N * sum_n KL(softmax(teacher_n / T) || softmax(student_n / T)), a float32 scalar; 0 without slots.

    T^2 keeps the gradient's size as T grows (Hinton et al., 2015, section 2). student, teacher: logits [N, K].
    """
    own, wanted = ((exact(logits) / temperature).log_softmax(-1) for logits in (student, teacher.detach()))
    return temperature**2 * (wanted.exp() * (wanted - own)).sum() / _slots(own)


def binary_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 / N * sum_nk KL(sigmoid(teacher_nk / T) || sigmoid(student_nk / T)), each class a yes or no of its own.

    student, teacher: logits [N, K]. A float32 scalar; 0 without slots.
    """
    own, wanted = (exact(logits) / temperature for logits in (student, teacher.detach()))
    yes = wanted.sigmoid() * (functional.logsigmoid(wanted) - functional.logsigmoid(own))
    no = (-wanted).sigmoid() * (functional.logsigmoid(-wanted) - functional.logsigmoid(-own))
    return temperature**2 * (yes + no).sum() / _slots(own)


def _slots(own: Tensor) -> float:
    """How many there are, over processes on average: sampled regions may be more in one than in another."""
    return max(1, sum(counts(len(own))) / processes())


def _is_sigmoid(teacher: FrozenTeacher) -> bool:
    return teacher.detector.info.classification == "anchors-sigmoid"


def _difference(teacher: FrozenTeacher) -> str:
    """Why student and teacher cannot be compared slot by slot, empty when they can."""
    one, other = teacher.student, teacher.detector
    if one.info.classification != other.info.classification:
        return f"they are per {one.info.classification} and per {other.info.classification}"
    if one.num_classes != other.num_classes:
        return f"there are {one.num_classes} and {other.num_classes} classes"
    if one.info.classification == "regions-softmax":
        return ""  # The teacher looks at the student's regions, whatever its own anchors are.
    shapes = [[list(level.shape[:3]) for level in detector.anchors()] for detector in (one, other)]
    if shapes[0] != shapes[1]:
        return f"their anchors are [H, W, K] {shapes[0]} and {shapes[1]}"
    if ((_anchor_shares(one) - _anchor_shares(other)).abs() > _ANCHOR_TOLERANCE).any():
        return "their anchors have other places or shapes"
    return ""


def _anchor_shares(detector: Detector) -> Tensor:
    """All anchors [A, 4] as shares of the input's width and height."""
    anchors = torch.cat([level.detach().flatten(0, 2).cpu() for level in detector.anchors()])
    return anchors / torch.tensor(2 * detector.image_size)


def _not_comparable(teacher: FrozenTeacher, difference: str) -> BadSpec:
    return BadSpec(
        f"soft labels compare class outputs one by one, and those of the student '{teacher.student.name}' and the "
        f"teacher '{teacher.detector.name}' do not belong together: {difference}.",
        hint="Choose two detectors of one family with the same classes, anchor shapes and image_size, or a method that "
        "compares maps, such as 'fine-grained'.",
    )

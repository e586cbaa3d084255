"""Whether tensors of given names and shapes are a detector's: the one rule for files of weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fgfi_core.detectors.detector import Detector
from fgfi_core.detectors.published import todays_name

# torchvision's own detection models lie one level deeper here.
TORCHVISION = "model."
# A count that batch norm keeps and nothing here reads; torchvision's frozen norms lack it.
UNREAD = ".num_batches_tracked"


@dataclass(frozen=True)
class Fit:
    """What differs. missing: the detector's names; unexpected: the file's; wrong_shape: the file's with the right one.

    names: the detector's name of each of the file's tensors; for one that the detector lacks, what it would be.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    wrong_shape: Mapping[str, tuple[int, ...]]
    names: Mapping[str, str]

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        return not (self.missing or self.unexpected or self.wrong_shape)


def fit(detector: Detector, shapes: Mapping[str, Sequence[int]]) -> Fit:
    """Compare a file's tensors, under the detector's names or torchvision's of any age, with those the detector has."""
    own = {name: tuple(tensor.shape) for name, tensor in detector.state_dict().items()}
    prefix = "" if own.keys() & shapes.keys() else TORCHVISION
    names = {name: todays_name(prefix + name, own) for name in shapes}
    found = {ours: name for name, ours in names.items()}
    return Fit(
        missing=tuple(name for name in own if name not in found and not name.endswith(UNREAD)),
        unexpected=tuple(name for ours, name in found.items() if ours not in own),
        wrong_shape={
            name: own[ours] for ours, name in found.items() if ours in own and own[ours] != tuple(shapes[name])
        },
        names=names,
    )

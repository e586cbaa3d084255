"""Random draws over a batch that several processes share: each takes its part of what one process would draw."""

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler

from fgfi_core.processes import counts, gathered, part_of, processes, rank


def dropout(x: Tensor, share: float, *, training: bool) -> Tensor:
    """Dropout of `x` [N, ...]; over processes of the mask that all their rows together would have."""
    if not training or processes() == 1:
        return functional.dropout(x, share, training)
    lengths = counts(len(x))
    # Noise is drawn in the order of memory, which is the same for the part and the whole but for the first dimension.
    layout = torch.channels_last if x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last) else None
    whole = torch.ones(sum(lengths), *x.shape[1:], dtype=x.dtype, device=x.device)
    whole = whole if layout is None else whole.contiguous(memory_format=layout)
    return x * part_of(functional.dropout(whole, share), lengths)


class SharedSampler(BalancedPositiveNegativeSampler):  # type: ignore[misc]  # torchvision has no types
    """torchvision's sampler of anchors or regions, which goes through the images of a batch one after the other.

    Over processes each draws for the images of all, and keeps what was drawn for its own: the same numbers as in one
    process, and generators that stay alike. share: of all that was sampled last, how much is this process's, times
    their number; means over samples become those of the whole batch by it.
    """

    share: float | Tensor = 1.0

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Masks of the sampled positives and negatives of each image."""
        if processes() == 1:
            self.share = 1.0
            positives, negatives = super().__call__(matched_idxs)
            return positives, negatives
        candidates = gathered(torch.tensor([[int((m >= 1).sum()), int((m == 0).sum())] for m in matched_idxs]))
        device = matched_idxs[0].device
        _draw(candidates[: rank()], device)
        positives, negatives = super().__call__(matched_idxs)
        _draw(candidates[rank() + 1 :], device)
        sampled = counts(sum(int(mask.sum()) for mask in (*positives, *negatives)))
        self.share = processes() * sampled[rank()] / max(1, sum(sampled))
        return positives, negatives


def _draw(candidates: Tensor, device: torch.device) -> None:
    """What the sampler draws for images with so many positives and negatives; nobody looks at it."""
    for number in candidates.flatten().tolist():
        torch.randperm(number, device=device)

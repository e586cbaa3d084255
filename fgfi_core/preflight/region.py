"""The imitation region covers the objects, and not everything."""

from collections.abc import Iterator

import torch
from torch import Tensor

from fgfi_core.imitation.masked import MaskedImitation
from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.preflight.pair import sampled_boxes

MOST_BOXES = 512
WARN_EMPTY = 0.05
REFUSE_EMPTY = 0.5
WHOLE_MAP = 0.95


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses a region that most boxes have no part in, warns where some have none or where it is the whole map."""
    pair = subject.pair
    if pair is None or not isinstance(pair.imitate.module, MaskedImitation):
        return
    module = pair.imitate.module
    images = sampled_boxes(subject.bench, pair.teacher.frame)
    if not images:
        return
    masks = module.masks(images)
    # Each box by itself, as if it were alone in its image.
    alone = [box[None] for box in torch.cat(images)[:MOST_BOXES]]
    has_cells = torch.stack([_any_cell(mask) for mask in module.masks(alone)])
    empty = 1 - _mean(has_cells.any(0))
    share = _mean(torch.cat([mask.flatten(1) for mask in masks], dim=1))
    numbers = {"region_share": share, "boxes_without_region": empty}
    for level, mask in enumerate(masks):
        numbers[f"level{level}/region_share"] = _mean(mask)
        numbers[f"level{level}/boxes_without_region"] = 1 - _mean(has_cells[level])
    text = f"the imitation region covers {share:.0%} of the maps and leaves out {empty:.0%} of the boxes"
    if empty > WARN_EMPTY:
        yield Verdict(
            "refused" if empty > REFUSE_EMPTY else "warning",
            f"{text}: near those the student learns nothing from the teacher.",
            hint="Lower method.threshold, take method 'fine-grained', or fit the anchors (schedule.anchors: data).",
            numbers=numbers,
            judgement=True,
        )
    elif share > WHOLE_MAP and _is_regional(subject):
        yield Verdict(
            "warning",
            f"{text}: full-feature imitation in all but name.",
            hint="Raise method.threshold, or schedule.image_size so that the objects take fewer cells' worth of it.",
            numbers=numbers,
        )
    else:
        yield Verdict("ok", f"{text}.", numbers=numbers)


def _is_regional(subject: Subject) -> bool:
    """Whether the method means to leave cells out."""
    return subject.bench.resolved.spec.method.name != "full-feature"


def _any_cell(mask: Tensor) -> Tensor:
    return mask.flatten(1).any(1)


def _mean(mask: Tensor) -> float:
    return float(mask.float().mean())

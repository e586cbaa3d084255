"""Choose the images of the album, and write down what was found in each."""

import base64
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fgfi_core.data import images
from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.flat import flatten
from fgfi_core.evaluation.matching import judge_all
from fgfi_core.evaluation.report import ImageErrors
from fgfi_core.report import heat
from fgfi_core.report.album import Album, Box, Change, DistanceMap, Found, Mask, Picture, Truth, Verdict
from fgfi_core.report.inputs import ReportInputs, Run
from fgfi_core.report.roles import ROLES
from fgfi_core.results import Role

# So many images each: worst, most gained, most lost. With those that have maps of distance it stays a few megabytes.
WORST, CHANGED = 36, 8
LONGEST_SIDE, JPEG_QUALITY = 560, 78
# Below this score, unless a class's own threshold is lower, and beyond so many, nobody looks.
LEAST_SCORE, MOST_FOUND = 0.05, 100

Runs = Mapping[Role, Run]


def gather(inputs: ReportInputs) -> Album:
    """The album of a job. Raises BadData for a broken image."""
    runs = _runs(inputs)
    errors = {role: [_count(image) for image in inputs.evaluations[run].images] for role, run in runs.items()}
    names = inputs.result.classes
    thresholds = {
        role: tuple(inputs.evaluations[run].classes[name].threshold for name in names) for role, run in runs.items()
    }
    measured = inputs.distances
    ends = (
        tuple(
            heat.scale_end([maps[level] for roles in measured.maps.values() for maps in roles.values()])
            for level in range(len(measured.strides))
        )
        if measured
        else ()
    )
    return Album(
        classes=names,
        images=len(inputs.examples),
        seeds={role: seed for role, (_, seed) in runs.items()},
        thresholds=thresholds,
        distance_ends=ends,
        pictures=tuple(_picture(inputs, index, runs, errors, thresholds, ends) for index in _chosen(inputs, errors)),
    )


def _runs(inputs: ReportInputs) -> Runs:
    """Of each role the training that is shown: the best, and the plain student with the delivered one's seed."""
    trained = inputs.result.trainings
    best = {
        role: max((one for one in trained if one.role == role), key=lambda one: one.score.map50).seed
        for role in ROLES
        if any(one.role == role for one in trained)
    }
    if "imitated" in best and ("plain", best["imitated"]) in inputs.evaluations:
        best["plain"] = best["imitated"]
    return {role: (role, seed) for role, seed in best.items()}


def _count(image: ImageErrors) -> int:
    return image.false + image.missed


def _chosen(inputs: ReportInputs, errors: Mapping[Role, list[int]]) -> list[int]:
    """Indices of the images, worst of the delivered student first."""
    leading = next(errors[role] for role in reversed(ROLES) if role in errors)
    everything = range(len(inputs.examples))
    chosen = set(sorted(everything, key=lambda i: -leading[i])[:WORST])
    if "plain" in errors and "imitated" in errors:
        won = [plain - imitated for plain, imitated in zip(errors["plain"], errors["imitated"], strict=True)]
        most = sorted(everything, key=lambda i: -won[i])
        chosen |= {i for i in most[:CHANGED] if won[i] > 0} | {i for i in most[-CHANGED:] if won[i] < 0}
    if inputs.distances:
        chosen |= {i for i in everything if inputs.examples[i].image_id in inputs.distances.maps}
    return sorted(chosen, key=lambda i: (-leading[i], i))


def _picture(
    inputs: ReportInputs,
    index: int,
    runs: Runs,
    errors: Mapping[Role, list[int]],
    thresholds: Mapping[Role, tuple[float, ...]],
    ends: tuple[float, ...],
) -> Picture:
    example = inputs.examples[index]
    own = {role: counts[index] for role, counts in errors.items()}
    pair = "plain" in own and "imitated" in own
    maps = inputs.distances.maps.get(example.image_id, {}) if inputs.distances else {}
    return Picture(
        id=example.image_id,
        width=example.width,
        height=example.height,
        photo=_photo(example),
        truth=Truth(
            boxes=_boxes(example.boxes),
            labels=tuple(example.labels.tolist()),
            difficult=tuple(example.difficult.tolist()),
        ),
        roles={role: _found(inputs.detections[run][index], example, thresholds[role]) for role, run in runs.items()},
        errors=own,
        change=Change(plain=own["plain"], imitated=own["imitated"]) if pair else None,
        region=tuple(_mask(mask) for mask in inputs.regions(example)) if inputs.regions else (),
        distances={
            role: tuple(_distances(one, end) for one, end in zip(levels, ends, strict=True))
            for role, levels in maps.items()
        },
    )


def _found(found: ImageDetections, example: Example, thresholds: tuple[float, ...]) -> Found:
    judged = judge_all(flatten([found], [example]))
    least = np.minimum(np.array(thresholds), LEAST_SCORE)
    order = np.argsort(-found.scores, kind="stable")
    kept = order[found.scores[order] >= least[found.labels[order]]][:MOST_FOUND]
    return Found(
        boxes=_boxes(found.boxes[kept]),
        scores=tuple(round(score, 4) for score in found.scores[kept].tolist()),
        labels=tuple(found.labels[kept].tolist()),
        owners=tuple(judged.owner[kept].tolist()),
        verdicts=tuple(_verdict(bool(judged.true[i]), bool(judged.ignored[i])) for i in kept),
    )


def _verdict(true: bool, ignored: bool) -> Verdict:
    return "true" if true else "ignored" if ignored else "false"


def _boxes(boxes: NDArray[np.float32]) -> tuple[Box, ...]:
    return tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in np.round(boxes.astype(np.float64), 1).tolist())


def _mask(mask: NDArray[np.bool_]) -> Mask:
    return Mask(width=mask.shape[1], height=mask.shape[0], bits=_text(np.packbits(mask.ravel()).tobytes()))


def _distances(distance: NDArray[np.float32], end: float) -> DistanceMap:
    values = np.round(np.clip(distance / end, 0, 1) * 255).astype(np.uint8)
    return DistanceMap(width=distance.shape[1], height=distance.shape[0], values=_text(values.tobytes()))


def _photo(example: Example) -> str:
    image = images.decode(example.path)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY)
    return _text(out.getvalue())


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()

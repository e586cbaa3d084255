"""The report's pictures as the templates take them: worst images, images gained and lost, maps of distance."""

from collections.abc import Mapping, Sequence
from typing import Any

from fgfi_core.data.dataset import Example
from fgfi_core.evaluation.report import ImageChange
from fgfi_core.report import heat, panels, samples
from fgfi_core.report.features import FeatureDistances
from fgfi_core.report.helped import shown
from fgfi_core.report.inputs import ReportInputs
from fgfi_core.report.photographs import Photographs
from fgfi_core.report.roles import ROLES
from fgfi_core.report.samples import Sample
from fgfi_core.results import Role

STUDENTS: tuple[Role, ...] = ("plain", "imitated")
# Images whose maps of distance are drawn; each level has a row of them.
MAPPED_IMAGES = 2
# A map of fewer cells says no more than its two numbers.
LEAST_CELLS = 24


def worst(inputs: ReportInputs, seeds: Mapping[Role, int], photographs: Photographs) -> list[dict[str, Any]]:
    """The images with most errors, with every role and the imitation region."""
    return [_picture(inputs, sample, photographs) for sample in samples.worst_first(inputs, seeds)]


def changed(inputs: ReportInputs, seed: int | None, photographs: Photographs) -> list[dict[str, Any]]:
    """The images most gained and most lost by imitation with one seed, the two students side by side."""
    helped = inputs.helped.get(seed) if seed is not None else None
    if helped is None or seed is None:
        return []
    index = {example.image_id: i for i, example in enumerate(inputs.examples)}
    groups: tuple[tuple[str, Sequence[ImageChange]], ...] = (("gained", helped.gained), ("lost", helped.lost))
    pictures = []
    for group, changes in groups:
        for change in shown(changes):
            sample = samples.sample(inputs, index[change.image_id], dict.fromkeys(STUDENTS, seed))
            picture = _picture(inputs, sample, photographs)
            pictures.append({**picture, "group": group, "plain": change.plain, "imitated": change.imitated})
    return pictures


def distances(inputs: ReportInputs, photographs: Photographs) -> list[dict[str, Any]]:
    """A level each: its scale, and the maps of the images with most boxes, in which the students share it."""
    measured = inputs.distances
    if measured is None:
        return []
    known = [example for example in inputs.examples if example.image_id in measured.maps]
    chosen = sorted(known, key=lambda example: -len(example.labels))[:MAPPED_IMAGES]
    levels = []
    for level, stride in enumerate(measured.strides):
        end = heat.scale_end([maps[level] for one in chosen for maps in measured.maps[one.image_id].values()])
        drawn = [one for one in chosen if _cells(measured, one, level) >= LEAST_CELLS]
        pictures = [_distance(inputs, measured, example, level, end, photographs) for example in drawn]
        shares = {role: own[level] for role, own in measured.unexplained.items()}
        levels.append({"stride": stride, "scale": heat.scale_bar(end, level), "pictures": pictures, "shares": shares})
    return levels


def _cells(measured: FeatureDistances, example: Example, level: int) -> int:
    return next(iter(measured.maps[example.image_id].values()))[level].size


def _distance(
    inputs: ReportInputs,
    measured: FeatureDistances,
    example: Example,
    level: int,
    end: float,
    photographs: Photographs,
) -> dict[str, Any]:
    key, photograph = photographs.take(example)
    region = inputs.regions(example)[level] if inputs.regions else None
    drawn = [
        (ROLES[role], heat.heat_panel(key, example, maps[level], region, end, f"{ROLES[role].title}'s distance"))
        for role, maps in measured.maps[example.image_id].items()
    ]
    whole = Sample(example, {}, inputs.regions(example) if inputs.regions else ())
    shown_region = panels.region_panel(key, whole, level) if inputs.regions else None
    return {"id": example.image_id, "photograph": photograph, "region": shown_region, "panels": drawn}


def _picture(inputs: ReportInputs, sample: Sample, photographs: Photographs) -> dict[str, Any]:
    key, photograph = photographs.take(sample.example)
    classes = inputs.result.classes
    return {
        "photograph": photograph,
        "id": sample.example.image_id,
        "truth": panels.truth_panel(key, sample, classes),
        "boxes": len(sample.example.labels),
        "regions": [panels.region_panel(key, sample, level) for level in range(len(sample.region))],
        "share": samples.region_share(sample.region),
        "roles": [
            {
                "identity": ROLES[role],
                "panel": panels.detections_panel(key, sample, role, classes),
                "true": int(shown_.verdict.true.sum()),
                "false": int(shown_.verdict.false.sum()),
                "missed": int(shown_.verdict.missed.sum()),
            }
            for role, shown_ in sample.roles.items()
        ],
    }

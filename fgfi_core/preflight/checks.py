"""The checks of each phase in their order: first what costs nothing, last what runs models."""

from collections.abc import Mapping

from fgfi_core.preflight import (
    anchors,
    boxes,
    class_coverage,
    class_map,
    data_problems,
    disk,
    estimate,
    first_weights,
    gradient,
    leaks,
    map_shapes,
    memory,
    pairing,
    region,
    rules,
    shared_images,
    teacher,
)
from fgfi_core.preflight.check import Check
from fgfi_core.preflight.report import Phase

CHECKS: Mapping[Phase, tuple[Check, ...]] = {
    "start": (
        Check("data_problems", data_problems.check),
        Check("shared_images", shared_images.check),
        Check("leaks", leaks.check),
        Check("boxes", boxes.check),
        Check("class_coverage", class_coverage.check),
        Check("rules", rules.check),
        Check("class_map", class_map.check),
        Check("first_weights", first_weights.check, after=("class_map",)),
        Check("anchors", anchors.check, after=("boxes",)),
        Check("pairing", pairing.check, after=("class_map", "first_weights")),
        Check("map_shapes", map_shapes.check, after=("class_map", "first_weights", "pairing")),
        Check("region", region.check, after=("boxes", "class_map", "first_weights", "pairing")),
        Check("gradient", gradient.check, after=("boxes", "class_map", "first_weights", "pairing")),
        Check("memory", memory.check),
        Check("disk", disk.check, after=("class_map", "first_weights", "pairing")),
        Check("estimate", estimate.check, after=("boxes", "class_map", "first_weights", "pairing")),
    ),
    "teacher": (
        Check("teacher", teacher.check),
        Check("gradient", gradient.check),
    ),
}

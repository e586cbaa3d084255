"""What `fgfi submit --dry-run` prints."""

import json

from client.models import DryRun, Estimate
from client.output import console, duration, print_json, print_table, size

TRAININGS = {"teacher": "teacher", "plain": "plain student", "imitated": "imitated student"}


def tell(found: DryRun, *, as_json: bool) -> None:
    """The job as it would be; the spec in full is for programs."""
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    console.print("the spec is valid; nothing was queued", markup=False)
    if found.resolved:
        rows = [(one.path, "-" if one.value is None else _text(one.value), one.note) for one in found.resolved]
        print_table(("left to the service", "becomes", "because"), rows, shorten="because")
    place = found.place
    jobs, workers = _count(place.ahead, "job"), _count(place.workers, "worker")
    console.print(f"class {place.device_class}, {place.priority} priority: {jobs} ahead, {workers} there", markup=False)
    if found.estimate is None:
        console.print("no estimate: the data set's report does not count its images", markup=False)
    else:
        _say(found.estimate)


def _say(estimate: Estimate) -> None:
    rows = [(TRAININGS.get(role, role), duration(seconds)) for role, seconds in estimate.seconds.items()]
    print_table(("training", "takes about"), rows)
    low, high = duration(estimate.low_seconds), duration(estimate.high_seconds)
    console.print(
        f"in all about {duration(estimate.total_seconds)} ({low} to {high}; {estimate.sure}), "
        f"{size(estimate.disk_bytes)} of the worker's disk",
        markup=False,
    )
    console.print(estimate.note, markup=False, soft_wrap=True)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

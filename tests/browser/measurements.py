"""What a run writes for the pages on measurements, made up: hostile names, two levels, a box that plain misses."""

import base64
import io
import json
from typing import Any

from PIL import Image

from store import artifacts
from store.artifacts import NewArtifact

HOSTILE = '<img src=x onerror="document.title=1">'
CLASSES = ("cell", HOSTILE, "platelet")
IMAGES = ("first", f"{HOSTILE}.jpg", "third")
WIDTH, HEIGHT = 320, 240
# So many hold the last evaluation.
LAST_STEPS = 10
BOXES = ((20.0, 30.0, 90.0, 110.0), (150.0, 40.0, 220.0, 120.0), (240.0, 150.0, 270.0, 180.0))
# Where something is found though nothing is there.
NOWHERE = (30.0, 160.0, 100.0, 220.0)


def album() -> dict[str, Any]:
    """`pictures.json`: the plain student misses the small box, the imitated one misses nothing in the first image."""
    return {
        "version": 1,
        "classes": CLASSES,
        "images": 5,
        "seeds": {"teacher": 0, "plain": 0, "imitated": 0},
        "thresholds": {"teacher": [0.5] * 3, "plain": [0.4] * 3, "imitated": [0.3] * 3},
        "distance_ends": [1.5, 2.0],
        "pictures": [_picture(name, number) for number, name in enumerate(IMAGES)],
    }


def evaluation() -> dict[str, Any]:
    """`evaluation.json` of one seed."""
    runs = [_run(role, best) for role, best in (("teacher", 0.65), ("plain", 0.58), ("imitated", 0.61))]
    change = {name: {"plain": 0.58, "imitated": 0.61} for name in CLASSES}
    helped = {
        "classes": change,
        "sizes": {"small": {"plain": 0.2, "imitated": 0.3}},
        "gained": [{"image_id": IMAGES[1], "plain": 4, "imitated": 1}],
        "lost": [{"image_id": IMAGES[2], "plain": 1, "imitated": 2}],
    }
    return {
        "runs": runs,
        "helped": {"0": helped},
        "gain": {"differences": [0.03], "mean": 0.03, "low": None, "high": None},
    }


def publish(worker: Any, job: Any, name: str, content: bytes) -> None:
    """Publish a file of the run that is under way."""
    lease = worker.leases[job.id]
    key = f"jobs/{job.id}/{name}"
    stored = worker.objects.put(key, [content])
    new = NewArtifact(name, "json", name, key, "application/json", stored.size, stored.sha256)
    with worker.sessions.begin() as session:
        artifacts.publish(session, lease, new)


def measured_job(worker: Any, name: str = "cells-quarter", *, curves: bool = False, **changes: Any) -> Any:
    """A job that is done and was measured. curves: it told every step, and not the last ones alone."""
    job = worker.submit(name, **changes)
    lease = worker.claim(job)
    for stage in ("preflight", "teacher", "baseline", "imitation"):
        worker.begin(lease, stage)
        if stage != "preflight":
            worker.train(lease, stage, 0 if curves else worker.STEPS - LAST_STEPS, worker.STEPS)
        worker.finish(lease, stage, 80.0)
    publish(worker, job, "evaluation.json", json.dumps(evaluation()).encode())
    publish(worker, job, "pictures.json", json.dumps(album()).encode())
    worker.conclude(job)
    return job


def _picture(name: str, number: int) -> dict[str, Any]:
    change = {"plain": (2, 4, 1)[number], "imitated": (1, 1, 2)[number]}
    bits = base64.b64encode(bytes([0b11000000] * 8)).decode()
    values = base64.b64encode(bytes(range(0, 256, 4))).decode()
    level = {"width": 8, "height": 8}
    distances = [{**level, "values": values}, {**level, "values": values}]
    return {
        "id": name,
        "width": WIDTH,
        "height": HEIGHT,
        "photo": _photo(),
        "truth": {"boxes": BOXES, "labels": [0, 1, 2], "difficult": [False, False, False]},
        "roles": {
            "teacher": _found((0.9, 0.8, 0.7), (0, 1, 2)),
            "plain": _found((0.85, 0.6, 0.2), (0, 1, -1)),
            "imitated": _found((0.88, 0.7, 0.35), (0, 1, 2)),
        },
        "errors": {"teacher": 0, **change},
        "change": change,
        "region": [{**level, "bits": bits}, {**level, "bits": bits}],
        "distances": {"plain": distances, "imitated": distances} if number == 0 else {},
    }


def _found(scores: tuple[float, ...], owners: tuple[int, ...]) -> dict[str, Any]:
    return {
        "boxes": [BOXES[owner] if owner >= 0 else NOWHERE for owner in owners],
        "scores": scores,
        "labels": [0, 1, 2],
        "owners": owners,
        "verdicts": ["true" if owner >= 0 else "false" for owner in owners],
    }


def _photo() -> str:
    out = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (196, 170, 190)).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def _run(role: str, best: float) -> dict[str, Any]:
    recall = [number / 20 for number in range(1, 19)]
    curve = {
        "recall": recall,
        "precision": [min(1.0, best + 0.4 - 0.5 * x * x) for x in recall],
        "scores": [1 - 0.9 * x for x in recall],
    }
    errors = {"localisation": 7, "class": 1, "both": 0, "duplicate": 2, "background": 30, "missed": 12}
    counts = {"true": 80, "ignored": 0, "errors": errors}
    one = {"boxes": 40, "threshold": 0.4, "ap50": best, "ap50_11": best, "counts": counts, "curve": curve}
    sizes = {"small": 0.3, "medium": 0.5, "large": 0.7}
    evaluated = {
        "voc": {"map50": best, "map50_11": best + 0.01},
        "coco": None,
        "kitti": None,
        "classes": dict.fromkeys(CLASSES, one),
        "sizes": {size: {"boxes": 30, "ap50": ap, "recall": ap + 0.1} for size, ap in sizes.items()},
        "counts": counts,
        "confusion": {
            "classes": CLASSES,
            "counts": [[30, 3, 0, 7], [0, 38, 0, 2], [1, 0, 12, 27], [9, 4, 17, 0]],
        },
        "images": [{"image_id": name, "true": 2, "false": 1, "missed": 1} for name in IMAGES],
    }
    return {"role": role, "seed": 0, "evaluation": evaluated}

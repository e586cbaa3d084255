"""The album: what a viewer of pictures is given."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from fgfi_core import data
from fgfi_core.evaluation.detections import ImageDetections
from fgfi_core.evaluation.matching import judge
from fgfi_core.report import ReportInputs, gather
from fgfi_core.report.album import Album
from fgfi_core.report.features import FeatureDistances, Unexplained
from fgfi_core.report.inputs import Run
from tests.browser import measurements
from tests.fgfi_core.report.test_write import SHARES, make_inputs

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

NAME = "cell"


@pytest.fixture
def folder(voc: "VocFolder") -> "VocFolder":
    for number, count in enumerate((1, 4, 2)):
        boxes = [(NAME, (1.0 + 20 * i, 1.0, 15.0 + 20 * i, 20.0)) for i in range(count)]
        voc.add(f"image{number}", boxes, split="val", difficult=(0,) if number == 2 else ())
    return voc


def inputs_of(folder: "VocFolder", shares: Mapping[Run, float] = SHARES) -> ReportInputs:
    dataset = data.read(folder.root)
    return make_inputs(dataset.splits["val"], dataset.classes, shares)


def test_the_worst_image_of_the_delivered_student_comes_first(folder: "VocFolder") -> None:
    pictures = gather.gather(inputs_of(folder)).pictures
    assert pictures[0].id == "image1"
    assert [one.errors["imitated"] for one in pictures] == sorted(
        (p.errors["imitated"] for p in pictures), reverse=True
    )


def test_the_album_survives_its_file(folder: "VocFolder") -> None:
    album = gather.gather(inputs_of(folder))
    assert Album.model_validate_json(album.model_dump_json()) == album
    assert album.classes == (NAME,)
    assert album.seeds == {"teacher": 0, "plain": 0, "imitated": 0}


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.55, 0.95])
def test_a_viewer_that_moves_the_threshold_sees_what_judging_again_would_say(
    folder: "VocFolder", threshold: float
) -> None:
    inputs = inputs_of(folder)
    example = next(one for one in inputs.examples if one.image_id == "image1")
    index = list(inputs.examples).index(example)
    # Twice on the first box, once beside everything, once on the second.
    boxes = np.array([example.boxes[0], example.boxes[0] + 1, [70, 50, 90, 70], example.boxes[1]], np.float32)
    found = ImageDetections(boxes, np.array([0.5, 0.6, 0.7, 0.2], np.float32), np.zeros(4, np.int64))
    detections = dict(inputs.detections)
    detections["imitated", 0] = [found if i == index else one for i, one in enumerate(detections["imitated", 0])]
    album = gather.gather(replace(inputs, detections=detections))
    own = next(one for one in album.pictures if one.id == "image1").roles["imitated"]

    shown = [i for i, score in enumerate(own.scores) if score >= threshold]
    kept = found.scores >= threshold
    verdict = judge(ImageDetections(found.boxes[kept], found.scores[kept], found.labels[kept]), example)
    assert sum(own.verdicts[i] == "true" for i in shown) == verdict.true.sum()
    assert sum(own.verdicts[i] == "false" for i in shown) == verdict.false.sum()
    missed = set(np.flatnonzero(~example.difficult)) - {own.owners[i] for i in shown}
    assert missed == set(np.flatnonzero(verdict.missed))


def test_masks_and_maps_come_back_cell_by_cell(folder: "VocFolder") -> None:
    inputs = inputs_of(folder)
    ramp = np.linspace(0, 2, 48, dtype=np.float32).reshape(6, 8)
    share = Unexplained(inside=0.5, outside=0.7)
    distances = FeatureDistances(
        fitted=1, measured=1, strides=(16,), unexplained={"plain": (share,)}, maps={"image0": {"plain": (ramp,)}}
    )
    album = gather.gather(replace(inputs, distances=distances))
    picture = next(one for one in album.pictures if one.id == "image0")
    mask = picture.region[0]
    bits = np.unpackbits(np.frombuffer(base64.b64decode(mask.bits), np.uint8))[: mask.width * mask.height]
    assert np.array_equal(bits.reshape(mask.height, mask.width).astype(bool), np.eye(6, 8, dtype=np.bool_))
    drawn = picture.distances["plain"][0]
    values = np.frombuffer(base64.b64decode(drawn.values), np.uint8).reshape(drawn.height, drawn.width)
    assert np.allclose(values / 255 * album.distance_ends[0], np.minimum(ramp, album.distance_ends[0]), atol=0.01)


def test_photographs_are_small_and_of_the_same_shape(folder: "VocFolder") -> None:
    folder.add("wide", size=(1500, 600), split="val")
    picture = next(one for one in gather.gather(inputs_of(folder)).pictures if one.id == "wide")
    photo = Image.open(io.BytesIO(base64.b64decode(picture.photo)))
    assert photo.size == (gather.LONGEST_SIDE, round(gather.LONGEST_SIDE * 600 / 1500))
    assert (picture.width, picture.height) == (1500, 600)


def test_a_large_split_stays_a_small_file(folder: "VocFolder") -> None:
    for number in range(80):
        folder.add(f"more{number:02d}", split="val")
    album = gather.gather(inputs_of(folder))
    assert album.images == 83
    assert gather.WORST <= len(album.pictures) <= gather.WORST + 2 * gather.CHANGED


def test_a_job_without_imitation_has_neither_regions_nor_changes(folder: "VocFolder") -> None:
    shares: dict[Run, float] = {("teacher", 0): 1.0, ("plain", 0): 0.5}
    album = gather.gather(replace(inputs_of(folder, shares), regions=None))
    assert all(not one.region and one.change is None for one in album.pictures)
    assert set(album.seeds) == {"teacher", "plain"}


def test_plain_is_shown_with_the_seed_of_the_delivered_student(folder: "VocFolder") -> None:
    shares: dict[Run, float] = {
        ("teacher", 0): 1.0,
        ("plain", 0): 0.75,
        ("plain", 1): 0.5,
        ("imitated", 0): 0.5,
        ("imitated", 1): 1.0,
    }
    assert gather.gather(inputs_of(folder, shares)).seeds == {"teacher": 0, "plain": 1, "imitated": 1}


def test_what_the_browser_tests_show_is_an_album() -> None:
    assert Album.model_validate_json(json.dumps(measurements.album())).version == 1

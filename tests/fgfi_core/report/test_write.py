import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fgfi_core import data
from fgfi_core.data import Example, Problem
from fgfi_core.evaluation.detections import NOTHING, ImageDetections
from fgfi_core.evaluation.voc import evaluate
from fgfi_core.preflight.report import Finding, PreflightReport
from fgfi_core.report import ReportInputs, write
from fgfi_core.report.features import FeatureDistances, Unexplained
from fgfi_core.report.inputs import Run
from fgfi_core.report.measurements import completed, measure_all
from fgfi_core.report.write import render
from fgfi_core.results import Export, JobResult, Training
from fgfi_core.spec import DETECTORS, JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

TEACHER, STUDENT = next(iter(DETECTORS)), list(DETECTORS)[-1]
NAME = "cells <script>alert(1)</script> & more"


def found(examples: Sequence[Example], share: float) -> list[ImageDetections]:
    """Find the first `share` of each image's boxes, exactly."""
    out = []
    for example in examples:
        count = round(share * len(example.labels))
        scores = np.linspace(0.9, 0.5, count, dtype=np.float32)
        out.append(ImageDetections(example.boxes[:count], scores, example.labels[:count]))
    return out


def make_inputs(
    examples: Sequence[Example],
    classes: tuple[str, ...],
    shares: Mapping[Run, float],
    rules: Sequence[str] = ("voc07", "voc"),
) -> ReportInputs:
    """Make a job in which each run finds a share of all boxes."""
    seeds = sorted({seed for _, seed in shares})
    spec = JobSpec.model_validate(
        {
            "name": NAME,
            "dataset": {"train": "train", "val": "val"},
            "teacher": {"detector": TEACHER},
            "student": {"detector": STUDENT},
            "seeds": seeds,
        }
    )
    detections = {run: found(examples, share) for run, share in shares.items()}
    trainings = tuple(
        Training(
            role=role,
            detector=TEACHER if role == "teacher" else STUDENT,
            seed=seed,
            score=evaluate(detections[role, seed], examples, classes).to_score(),
            best_step=20,
            steps=30,
            seconds=60,
            imitation_weights={"imitation": 1.25} if role == "imitated" else {},
        )
        for role, seed in shares
    )
    points = [
        (10, 1.0, {"loss": 3.0, "loss/box": 2.0, "loss/imitation": 50.0}),
        (10, 1.0, {"val/map50": 0.25}),
        (20, 2.0, {"loss": 2.0, "loss/box": 1.0, "loss/imitation": 40.0}),
    ]
    export = Export(
        format="onnx",
        path="exports/student.onnx",
        size=2_500_000,
        sha256="0f" * 32,
        map50=0.5,
        latency_ms=4.25,
        parity=True,
        max_box_difference=0.0001,
    )
    evaluation = measure_all(detections, examples, classes, rules)
    result = JobResult(name=NAME, classes=classes, trainings=trainings, exports=(export,), seconds=180)
    return ReportInputs(
        result=completed(result, evaluation),
        spec=spec.model_dump(mode="json"),
        examples=examples,
        detections=detections,
        evaluations={(run.role, run.seed): run.evaluation for run in evaluation.runs},
        helped=evaluation.helped,
        history=dict.fromkeys(shares, points),
        regions=lambda _: [np.eye(6, 8, dtype=np.bool_)],
        problems=[Problem("warning", "Annotations/<b>.xml", 7, "box has no area; dropped")],
    )


SHARES: dict[Run, float] = {("teacher", 0): 1.0, ("plain", 0): 0.5, ("imitated", 0): 0.75}


@pytest.fixture
def inputs(voc: "VocFolder") -> ReportInputs:
    boxes = [("cell", (1.0 + 20 * i, 1.0, 15.0 + 20 * i, 20.0)) for i in range(4)]
    for name in ("first", "second"):
        voc.add(name, boxes, split="val")
    dataset = data.read(voc.root)
    return make_inputs(dataset.splits["val"], dataset.classes, SHARES)


class Parsed(HTMLParser):
    """Collects what the page would load, its tags and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "xlink:href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_is_one_file_that_loads_nothing_and_runs_nothing(inputs: ReportInputs, tmp_path: Path) -> None:
    path = write(inputs, tmp_path / "report")
    page = Parsed(path.read_text(encoding="utf-8"))
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    assert all(link.startswith(("data:image/", "#")) for link in page.links)
    assert not {"script", "link", "iframe"} & set(page.tags)


def test_names_that_are_markup_stay_text(inputs: ReportInputs) -> None:
    html = render(inputs)
    assert "<script" not in html
    assert "Annotations/<b>" not in html
    assert NAME in Parsed(html).text


def test_the_gap_is_said(inputs: ReportInputs) -> None:
    assert "50 % of the gap closed." in Parsed(render(inputs)).text


def test_a_gap_that_grew_is_not_called_closed(inputs: ReportInputs) -> None:
    worse: dict[Run, float] = {("teacher", 0): 1.0, ("plain", 0): 0.5, ("imitated", 0): 0.25}
    text = Parsed(render(make_inputs(inputs.examples, inputs.result.classes, worse))).text
    assert "The gap grew by 50 %." in text
    assert "closed." not in text


@pytest.mark.parametrize(
    ("shares", "sentence"),
    [
        ({("teacher", 0): 0.5, ("plain", 0): 0.5, ("imitated", 0): 0.75}, "the teacher is not better than the plain"),
        ({("teacher", 0): 1.0, ("imitated", 0): 0.75}, "the gap is undefined"),
        ({("teacher", 0): 1.0, ("plain", 0): 0.75}, "there is no gap to close"),
    ],
)
def test_an_undefined_gap_is_said_to_be_undefined(
    inputs: ReportInputs, shares: dict[Run, float], sentence: str
) -> None:
    page = Parsed(render(make_inputs(inputs.examples, inputs.result.classes, shares)))
    assert sentence in page.text
    assert "of the gap closed." not in page.text


def test_several_seeds_are_listed_and_summed_up(inputs: ReportInputs) -> None:
    shares: dict[Run, float] = {**SHARES, ("plain", 1): 0.25, ("imitated", 1): 0.25}
    page = Parsed(render(make_inputs(inputs.examples, inputs.result.classes, shares)))
    assert "Seed by seed" in page.text
    assert "25.0\N{EN DASH}50.0" in page.text
    assert "One seed was trained" not in page.text


def test_one_seed_comes_with_a_warning(inputs: ReportInputs) -> None:
    assert "One seed was trained" in Parsed(render(inputs)).text


def test_it_says_that_the_checkpoint_was_chosen_on_the_reported_split(inputs: ReportInputs) -> None:
    assert "scored best on this same split" in Parsed(render(inputs)).text


def test_exports_and_dropped_boxes_are_listed(inputs: ReportInputs) -> None:
    text = Parsed(render(inputs)).text
    assert "exports/student.onnx" in text
    assert "2.50 MB" in text
    assert "same boxes" in text
    assert "Annotations/<b>.xml:7 box has no area; dropped" in text


def test_the_worst_image_of_the_student_comes_first(inputs: ReportInputs) -> None:
    student = [inputs.detections["imitated", 0][0], NOTHING]
    html = render(replace(inputs, helped={}, detections={**inputs.detections, ("imitated", 0): student}))
    assert html.index("<h3>second</h3>") < html.index("<h3>first</h3>")


def test_a_job_without_imitation_has_no_region(inputs: ReportInputs) -> None:
    assert "Imitation region" in render(inputs)
    assert "Imitation region" not in render(replace(inputs, regions=None))


def test_a_job_without_exports_or_problems_says_so(inputs: ReportInputs) -> None:
    bare = replace(inputs, problems=(), result=inputs.result.model_copy(update={"exports": ()}))
    text = Parsed(render(bare)).text
    assert "Nothing was exported." in text
    assert "dropped nothing" in text


def test_coco_and_kitti_have_tables_where_they_were_asked_for(inputs: ReportInputs) -> None:
    text = Parsed(render(inputs)).text
    assert "COCO's twelve numbers" not in text
    assert "40 recalls" not in text
    asked = make_inputs(inputs.examples, inputs.result.classes, SHARES, ("voc", "coco"))
    assert "COCO's twelve numbers" in Parsed(render(asked)).text
    teacher = asked.result.trainings[0]
    assert teacher.coco is not None
    assert teacher.coco.ap50 == pytest.approx(1)


def test_errors_are_counted_by_kind_on_one_scale(inputs: ReportInputs) -> None:
    html = render(inputs)
    # Of four boxes in each of two images the plain student misses half, the imitating one a quarter.
    assert 'style="width: 100.00%" title="missed: 4"' in html
    assert 'style="width: 50.00%" title="missed: 2"' in html
    assert "2 errors · 6 true" in Parsed(html).text


def test_where_the_teacher_helped_is_told_with_the_images_gained(inputs: ReportInputs) -> None:
    text = Parsed(render(inputs)).text
    assert "Where the teacher helped" in text
    assert "imitation made fewer errors on 2 images, more on 0 and as many on 0." in text
    assert "gained: 2 errors of the plain student, 1 of the imitating one" in text


def test_without_a_plain_student_nothing_is_said_of_help(inputs: ReportInputs) -> None:
    alone: dict[Run, float] = {("teacher", 0): 1.0, ("imitated", 0): 0.75}
    assert "Where the teacher helped" not in render(make_inputs(inputs.examples, inputs.result.classes, alone))


def test_a_photograph_is_stored_once_however_often_it_is_drawn_over(inputs: ReportInputs) -> None:
    assert render(inputs).count("data:image/jpeg") == 2


def test_maps_of_distance_say_what_was_compared(inputs: ReportInputs) -> None:
    grid = np.linspace(0, 2, 48, dtype=np.float32).reshape(6, 8)
    half = np.asarray(grid / 2, np.float32)
    measured = FeatureDistances(
        fitted=24,
        measured=2,
        strides=(16,),
        unexplained={"plain": (Unexplained(0.75, 0.5),), "imitated": (Unexplained(0.25, None),)},
        maps={example.image_id: {"plain": (grid,), "imitated": (half,)} for example in inputs.examples},
    )
    html = render(replace(inputs, distances=measured))
    text = Parsed(html).text
    assert "Map at stride 16" in text
    assert "fitted by least squares on 24 training images" in text
    assert html.count('class="outline"') == 4
    assert "How near the maps are" not in render(inputs)


def test_a_map_of_few_cells_is_told_in_numbers_alone(inputs: ReportInputs) -> None:
    measured = FeatureDistances(
        fitted=24,
        measured=2,
        strides=(256,),
        unexplained={"imitated": (Unexplained(None, 0.5),)},
        maps={example.image_id: {"imitated": (np.ones((1, 2), np.float32),)} for example in inputs.examples},
    )
    html = render(replace(inputs, distances=measured))
    assert "Map at stride 256" in html
    assert "and more</text>" not in html


def test_findings_of_the_pre_flight_stand_worst_first(inputs: ReportInputs) -> None:
    numbers = {"region_share": 0.3333, "level0/region_share": 0.25}
    fine = Finding(check="region", phase="start", severity="ok", message="it covers a third", numbers=numbers)
    weak = Finding(check="teacher_floor", phase="teacher", severity="warning", message="it is <weak>", hint="train it")
    found = PreflightReport(findings=(fine, weak))
    html = render(replace(inputs, findings=found))
    assert html.index("teacher floor") < html.index("it covers a third")
    assert "it is &lt;weak&gt;" in html
    summary = html.index("map by map, class by class")
    assert html.index("region share 0.3333") < summary < html.index("level0/region share 0.25")


def test_the_model_card_is_in_it_as_text(inputs: ReportInputs) -> None:
    assert "&lt;script&gt;card" in render(replace(inputs, card="# <script>card"))


def test_bccd_makes_a_report_small_enough_to_mail(bccd: Path, tmp_path: Path) -> None:
    dataset = data.read(bccd)
    inputs = make_inputs(dataset.splits["test"], dataset.classes, SHARES)
    path = write(inputs, tmp_path)
    assert path.stat().st_size < 2_000_000
    assert "Platelets" in path.read_text(encoding="utf-8")

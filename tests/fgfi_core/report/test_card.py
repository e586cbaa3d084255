from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from fgfi_core import data
from fgfi_core.bundle import manifest, record
from fgfi_core.data.frame import Frame, Resize
from fgfi_core.data.images import framed
from fgfi_core.evaluation.report import Gain
from fgfi_core.report.card import model_card
from fgfi_core.results import Export, JobResult, Role, Score, Training
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

ONNX = Export(
    format="onnx",
    path="exports/student.onnx",
    size=309_600,
    sha256="0f" * 32,
    map50=0.5,
    latency_ms=4.25,
    parity=True,
    max_box_difference=0.0,
)


def trained(role: Role, map50: float) -> Training:
    score = Score(map50=map50, map50_11=map50, ap50={"cell": map50, "dot": None})
    name = "ssd-shufflenetv2-1x" if role == "teacher" else "ssd-shufflenetv2-0.25x"
    weights = {"imitation": 1.25} if role == "imitated" else {}
    return Training(
        role=role,
        detector=name,
        seed=0,
        score=score,
        best_step=2,
        steps=4,
        seconds=9,
        imitation_weights=weights,
    )


@pytest.fixture
def result() -> JobResult:
    return JobResult(
        name="cells",
        classes=("cell", "dot"),
        trainings=(trained("teacher", 0.8), trained("plain", 0.4), trained("imitated", 0.6)),
        exports=(ONNX,),
        seconds=27,
        gain=Gain(differences=(0.2,), mean=0.2, low=None, high=None),
    )


@pytest.fixture
def bundle(voc: "VocFolder", result: JobResult) -> record.Bundle:
    voc.add("first")
    voc.add("second", split="val")
    (voc.root / "LICENSE").write_text("MIT")
    spec = JobSpec.model_validate(
        {
            "name": "cells",
            "dataset": {"train": "train", "val": "val"},
            "teacher": {"detector": "ssd-shufflenetv2-1x", "init": "file"},
            "student": {"detector": "ssd-shufflenetv2-0.25x"},
            "schedule": {"batch_size": 2, "learning_rate": 0.25, "image_size": [64, 48]},
        }
    )
    return record.Bundle(
        about=record.About(name="cells"),
        code=record.Code(package="fgfi-service", version="0.1.0", commit="c0ffee" * 6),
        packages={},
        spec=spec,
        resolved={"spec": spec.model_dump(mode="json"), "device": "cpu"},
        data=manifest.describe(data.read(voc.root), ("train", "val")),
        weights=record.Weights(
            first={"teacher": record.First(source="file", name="heavy.safetensors", sha256="ab" * 32)},
            trained=(record.Trained(role="imitated", seed=0, sha256="cd" * 32),),
        ),
        environment=record.Environment(
            python="3.11", platform="Linux", machine="x86_64", processor="one", device="cpu", threads=2, torch={}
        ),
        result=result,
    )


def test_it_says_what_the_student_is_and_how_good_and_from_what(result: JobResult, bundle: record.Bundle) -> None:
    card = model_card(result, bundle)
    assert "**ssd-shufflenetv2-0.25x**, trained as the student of ssd-shufflenetv2-1x by fine-grained imitation" in card
    assert '| mAP at IoU 0.5 | 60.0 % on "val" (1 images) |' in card
    assert "one seed, which says nothing of the spread" in card
    assert "50 % of the gap" in card
    assert "| threshold | 0.5 |" in card
    assert "| weight of imitation, as measured | 1.25 |" in card


def test_it_says_whose_data_and_weights_and_which(result: JobResult, bundle: record.Bundle) -> None:
    card = model_card(result, bundle)
    assert "is said in LICENSE beside the data" in card
    assert bundle.data.sha256 in card
    assert f"teacher: heavy.safetensors (file), sha256 `{'ab' * 32}`, licence: not known here" in card
    assert "| weights of imitated, seed 0 |" in card
    assert "commit c0ffeec0ffee." in card


def test_it_says_what_is_not_known(result: JobResult, bundle: record.Bundle) -> None:
    card = model_card(result, bundle)
    assert 'The checkpoint was chosen on "val", the split that is reported' in card
    assert "Not measured, for the split has no box of them: dot." in card
    assert "Latency is of the machine that trained (one, 2 threads), not of yours." in card
    unlicensed = bundle.model_copy(update={"data": bundle.data.model_copy(update={"licences": ()})})
    assert "No file beside the data says whose it is" in model_card(result, unlicensed)


def test_names_are_never_marks_of_the_page(result: JobResult, bundle: record.Bundle) -> None:
    name = "a | b\n\n## Licence\n<b>"
    shown = "a \\| b ## Licence &lt;b>"
    student = result.trainings[2]
    score = student.score.model_copy(update={"ap50": {name: 0.5}})
    trainings = (*result.trainings[:2], student.model_copy(update={"score": score}))
    changed = result.model_copy(update={"name": name, "classes": (name,), "trainings": trainings})

    lines = model_card(changed, bundle).splitlines()

    assert lines[0] == f"# {shown}"
    assert f"| Classes | {shown} |" in lines
    assert f"| {shown} | 50.0 |" in lines
    assert "## Licence" not in lines


def test_its_lines_of_python_are_python(result: JobResult, bundle: record.Bundle, tmp_path: Path) -> None:
    code = model_card(result, bundle).split("```python\n")[1].split("```")[0]
    compile(code, str(tmp_path), "exec")
    assert len(code.splitlines()) == 3
    assert '"student.onnx"' in code
    assert ".resize((64, 48)" in code
    without = result.model_copy(update={"exports": ()})
    assert "No ONNX file was exported" in model_card(without, bundle)


@pytest.mark.parametrize("resize", ["stretch", "fit"])
def test_its_lines_of_python_prepare_an_image_as_training_did(
    resize: Resize, result: JobResult, bundle: record.Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle.resolved["spec"]["schedule"]["resize"] = resize
    code = model_card(result, bundle).split("```python\n")[1].split("boxes, scores")[0]
    noise = np.random.default_rng(0).integers(0, 256, (75, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "image.jpg")
    monkeypatch.chdir(tmp_path)
    made: dict[str, Any] = {}
    exec(code, made)
    expected = framed(tmp_path / "image.jpg", Frame((64, 48), resize))
    np.testing.assert_allclose(made["pixels"], expected.astype(np.float32) / 255)

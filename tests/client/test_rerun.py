"""`fgfi rerun`: a tiny job on made-up images, again from its bundle."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fgfi_core
from client.errors import EXIT_FAILURE, EXIT_USAGE
from client.main import main
from fgfi_core import events
from fgfi_core.bundle import record
from fgfi_core.results import JobEvaluation
from fgfi_core.spec import JobSpec

Run = Callable[..., tuple[int, str, str]]
SPEC = {
    "name": "tiny",
    "dataset": {"train": "train", "val": "val"},
    "teacher": {"detector": "ssd-shufflenetv2-0.5x"},
    "student": {"detector": "ssd-shufflenetv2-0.25x"},
    "method": {"name": "fine-grained", "balance_steps": 1},
    "schedule": {"epochs": 2, "batch_size": 2, "image_size": [64, 64], "evaluate_every": 1, "warmup_steps": 0},
    "exports": ["safetensors"],
    "resources": {"device": "cpu"},
}


def _add(root: Path, name: str, split: str, number: int) -> None:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 80, (64, 64, 3), dtype=np.uint8)
    pixels[12:44, 8 + number : 40 + number] += 150
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / part).mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(root / "JPEGImages" / f"{name}.png")
    box = f"<xmin>{9 + number}</xmin><ymin>13</ymin><xmax>{40 + number}</xmax><ymax>44</ymax>"
    (root / "Annotations" / f"{name}.xml").write_text(
        "<annotation><size><width>64</width><height>64</height><depth>3</depth></size>"
        f"<object><name>square</name><difficult>0</difficult><bndbox>{box}</bndbox></object></annotation>"
    )
    with (root / "ImageSets" / "Main" / f"{split}.txt").open("a") as file:
        file.write(f"{name}\n")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The data of a finished job, and its folder."""
    root = tmp_path_factory.mktemp("job")
    for number in range(4):
        _add(root / "data", f"train{number}", "train", number)
    _add(root / "data", "val0", "val", 4)
    seen: list[events.Event] = []
    fgfi_core.run(JobSpec.model_validate(SPEC), root / "data", root / "out", seen.append)
    written = {e.path: e.media_type for e in seen if isinstance(e, events.ArtifactWritten)}
    assert written["bundle.zip"] == "application/zip"
    assert written["evaluation.json"] == "application/json"
    assert written["pictures.json"] == "application/json"
    assert written["exports/model_card.md"] == "text/markdown"
    return root / "data", root / "out"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    # This process has its threads and allocator already.
    monkeypatch.setenv("FGFI_TRAIN_PREPARED", "1")

    def run_it(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fgfi", "rerun", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
        output = capsys.readouterr()
        return code, output.out, output.err

    return run_it


def test_a_rerun_has_the_same_map_to_the_last_digit_and_the_same_weights(
    run: Run, job: tuple[Path, Path], tmp_path: Path
) -> None:
    data, out = job
    code, said, _ = run(out / "bundle.zip", "--data", data, "--out", tmp_path / "again", "--json")

    answer = json.loads(said)
    before, after = (record.read(folder / "bundle.zip") for folder in (out, tmp_path / "again"))
    assert code == 0
    assert answer["same"]
    assert answer["warnings"] == []
    assert [(row["role"], row["difference"]) for row in answer["trainings"]] == [
        ("teacher", 0.0),
        ("plain", 0.0),
        ("imitated", 0.0),
    ]
    assert before.weights == after.weights
    assert before.data == after.data
    # As many threads as then, though the spec left them open.
    assert before.spec.resources.threads == "auto"
    assert after.environment.threads == before.environment.threads


def test_a_job_leaves_its_measurements_a_card_and_a_report_with_maps_of_distance(job: tuple[Path, Path]) -> None:
    _, out = job
    measured = JobEvaluation.model_validate_json((out / "evaluation.json").read_text())
    assert [(run.role, run.seed) for run in measured.runs] == [("teacher", 0), ("plain", 0), ("imitated", 0)]
    assert measured.gain is not None
    assert "imitation" in (out / "exports" / "model_card.md").read_text()
    assert "How near the maps are" in (out / "report" / "report.html").read_text()


def test_a_changed_image_is_refused_by_name(run: Run, job: tuple[Path, Path], tmp_path: Path) -> None:
    data, out = job
    image = data / "JPEGImages" / "train2.png"
    content = image.read_bytes()
    try:
        Image.new("RGB", (64, 64)).save(image)
        code, _, err = run(out / "bundle.zip", "--data", data, "--out", tmp_path / "again")
    finally:
        image.write_bytes(content)

    assert code == EXIT_USAGE
    assert "JPEGImages/train2.png is changed" in err
    assert not (tmp_path / "again").exists()


def test_another_map_than_the_bundles_is_said_and_fails(run: Run, job: tuple[Path, Path], tmp_path: Path) -> None:
    data, out = job
    held = record.read(out / "bundle.zip")
    teacher = held.result.trainings[0]
    score = teacher.score.model_copy(update={"map50": teacher.score.map50 + 0.125})
    changed = (teacher.model_copy(update={"score": score}), *held.result.trainings[1:])
    result = held.result.model_copy(update={"trainings": changed})
    record.write(held.model_copy(update={"result": result}), tmp_path / "other.zip")
    # The folder of the job itself is finished: nothing is trained again.
    words = (tmp_path / "other.zip", "--data", data, "--out", tmp_path / "again")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "checkpoints").symlink_to(out / "checkpoints")

    code, said, _ = run(*words)
    assert code == EXIT_FAILURE
    assert "not the same mAP: differs by up to 0.125" in said
    code, said, _ = run(*words, "--tolerance", "0.2")
    assert code == 0
    assert "the same mAP" in said


def test_a_file_that_is_no_bundle_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_text("no")
    code, _, err = run(tmp_path / "bundle.zip", "--data", tmp_path, "--out", tmp_path / "out")
    assert code == EXIT_USAGE
    assert "is no bundle" in err

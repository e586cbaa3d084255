"""Images without labels in a whole job: they carry imitation and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

import fgfi_core
from fgfi_core import data, events
from fgfi_core.errors import BadSpec
from fgfi_core.spec import JobSpec, Resources
from fgfi_core.training.device import choose
from fgfi_core.training.resolve import resolve

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]
SPLITS = {"train": "train", "val": "val"}
# A teacher of two epochs is sure of nothing.
MIXED = {**SPLITS, "unlabelled": "more", "unlabelled_score": 1e-6}


@pytest.fixture
def mixed(images: Path, voc: "VocFolder") -> Path:
    for i in range(3):
        voc.add(f"more{i}", [("cell", (5, 5, 50, 60))], split="more")
    return images


def weights(out: Path, stage: str) -> dict[str, Tensor]:
    final = torch.load(out / "checkpoints" / f"{stage}-0" / "final.pt", weights_only=True)
    found: dict[str, Tensor] = final["weights"]
    return found


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def measured(seen: list[events.Event]) -> dict[str, list[float]]:
    """Values of the imitating student's training, by name."""
    values: dict[str, list[float]] = {}
    for event in seen:
        if isinstance(event, events.Metrics) and event.stage == "imitation":
            for name, value in event.values.items():
                values.setdefault(name, []).append(value)
    return values


STAGES = ("teacher", "baseline", "imitation")


def test_they_change_the_imitating_student_alone(spec: Spec, mixed: Path, tmp_path: Path) -> None:
    seen: list[events.Event] = []
    fgfi_core.run(spec(), mixed, tmp_path / "without", lambda _: None)
    fgfi_core.run(spec(dataset=MIXED), mixed, tmp_path / "with", seen.append)
    same = {stage: equal(*(weights(tmp_path / run, stage) for run in ("without", "with"))) for stage in STAGES}
    assert same == {"teacher": True, "baseline": True, "imitation": False}
    values = measured(seen)
    assert max(values["unlabelled/boxes"]) > 0
    assert max(values["loss/imitation/unlabelled"]) > 0


def test_their_labels_are_not_read(spec: Spec, mixed: Path, voc: "VocFolder", tmp_path: Path) -> None:
    fgfi_core.run(spec(dataset=MIXED), mixed, tmp_path / "one", lambda _: None)
    (voc.root / "ImageSets" / "Main" / "more.txt").unlink()
    for i in range(3):
        voc.add(f"more{i}", [("dot", (60, 5, 95, 30))], split="more")
    fgfi_core.run(spec(dataset=MIXED), mixed, tmp_path / "other", lambda _: None)
    assert equal(*(weights(tmp_path / run, "imitation") for run in ("one", "other")))


def test_where_the_teacher_is_sure_of_nothing_they_add_no_loss(spec: Spec, mixed: Path, tmp_path: Path) -> None:
    seen: list[events.Event] = []
    fgfi_core.run(spec(dataset={**MIXED, "unlabelled_score": 1.0}), mixed, tmp_path / "out", seen.append)
    values = measured(seen)
    assert values["unlabelled/boxes"]
    assert set(values["unlabelled/boxes"]) == {0.0}
    assert set(values["loss/imitation/unlabelled"]) == {0.0}


@pytest.mark.parametrize("method", ["hint", "fine-grained+soft-label"])
def test_every_kind_of_method_takes_them(spec: Spec, mixed: Path, tmp_path: Path, method: str) -> None:
    seen: list[events.Event] = []
    job = spec(dataset=MIXED, baseline=False, method={"name": method, "balance_steps": 1})
    fgfi_core.run(job, mixed, tmp_path / "out", seen.append)
    assert any(name.endswith("/unlabelled") for name in measured(seen))


def test_a_split_that_is_not_there_is_named(spec: Spec, images: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"dataset\.unlabelled is 'more'"):
        fgfi_core.run(spec(dataset=MIXED), images, tmp_path / "out", lambda _: None)


def test_what_is_measured_must_not_be_imitated_on_either(
    spec: Spec, mixed: Path, voc: "VocFolder", tmp_path: Path
) -> None:
    voc.list_image("val0", "more")
    with pytest.raises(BadSpec, match=r"dataset\.unlabelled 'more' and dataset\.val 'val' share 1 images"):
        fgfi_core.run(spec(dataset=MIXED), mixed, tmp_path / "out", lambda _: None)


@pytest.mark.parametrize(
    "changes", [{"dataset": {**SPLITS, "unlabelled": "val"}}, {"dataset": MIXED, "method": {"name": "none"}}]
)
def test_a_spec_that_makes_no_sense_is_refused(spec: Spec, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="unlabelled"):
        spec(**changes)


def test_a_batch_of_them_that_several_processes_cannot_share_is_refused(spec: Spec, mixed: Path) -> None:
    several = {"device": "cpu", "threads": 1, "count": 2}  # They are three, and a batch would be of four.
    schedule = {"epochs": 1, "batch_size": 4, "image_size": [64, 64]}
    with pytest.raises(BadSpec, match=r"'more' .* 3 images.* no 2 equal parts"):
        resolve(
            spec(dataset=MIXED, resources=several, schedule=schedule), data.read(mixed), choose(Resources(), "fp32")
        )

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fgfi_core.errors import BadData
from fgfi_core.preflight import leaks
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

if TYPE_CHECKING:
    from tests.fgfi_core.conftest import VocFolder

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_a_picture_of_val_that_train_holds_under_another_name_is_refused(
    spec: Spec, voc: "VocFolder", subject: MakeSubject
) -> None:
    voc.add("a")
    voc.add("b", split="val")
    shutil.copy(voc.root / "JPEGImages" / "a.png", voc.root / "JPEGImages" / "b.png")
    (verdict,) = leaks.check(subject(spec(), voc.root))
    assert verdict.severity == "refused"
    assert "'train' holds 1 of the 1 pictures of 'val', which measures, under another name" in verdict.message
    assert "a.png" in verdict.message
    assert "b.png" in verdict.message
    assert verdict.error is BadData


def test_images_without_labels_are_learned_from_too(spec: Spec, voc: "VocFolder", subject: MakeSubject) -> None:
    voc.add("a")
    voc.add("b", split="val")
    voc.add("c", split="more")
    shutil.copy(voc.root / "JPEGImages" / "c.png", voc.root / "JPEGImages" / "b.png")
    job = spec(dataset={"train": "train", "val": "val", "unlabelled": "more"})
    train, more = leaks.check(subject(job, voc.root))
    assert (train.severity, more.severity) == ("ok", "refused")
    assert "'more' holds 1 of the 1 pictures of 'val'" in more.message


def test_different_pictures_are_no_leak(spec: Spec, images: Path, subject: MakeSubject) -> None:
    (verdict,) = leaks.check(subject(spec(), images))
    assert (verdict.severity, verdict.numbers["leaked_images"]) == ("ok", 0)

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fgfi_core.preflight import disk
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_a_disk_that_is_too_small_is_refused_with_the_numbers(
    spec: Spec, images: Path, subject: MakeSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = subject(spec(), images)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6))
    (verdict,) = disk.check(asked)
    assert verdict.severity == "refused"
    needed = disk.needed_bytes(asked) / 1e6
    assert f"writes about {needed:.0f} MB, and 1 MB of the disk are free" in verdict.message
    assert "Make room for" in verdict.hint
    assert verdict.numbers == {"disk_bytes": disk.needed_bytes(asked), "disk_free_bytes": 10**6}


def test_a_disk_with_room_passes(spec: Spec, images: Path, subject: MakeSubject) -> None:
    (verdict,) = disk.check(subject(spec(), images))
    assert verdict.severity == "ok"


def test_more_seeds_and_a_greedier_optimiser_need_more(spec: Spec, images: Path, subject: MakeSubject) -> None:
    least = disk.needed_bytes(subject(spec(), images))
    assert disk.needed_bytes(subject(spec(seeds=[0, 1]), images)) > least
    assert disk.needed_bytes(subject(spec(schedule={"optimizer": "adamw"}), images)) > least

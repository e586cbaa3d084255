from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fgfi_core.preflight import probe
from fgfi_core.preflight.check import Subject
from fgfi_core.spec import JobSpec

Spec = Callable[..., JobSpec]
MakeSubject = Callable[..., Subject]


def test_a_batch_that_fits_goes_through_at_once(spec: Spec, images: Path, subject: MakeSubject) -> None:
    assert probe.micro_batch(subject(spec(schedule={"batch_size": 4}), images).bench) == 4


def test_with_less_memory_it_goes_through_in_parts(
    spec: Spec, images: Path, subject: MakeSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = subject(spec(schedule={"batch_size": 8}), images).bench
    fixed, each = probe._graph_bytes(bench, "teacher")
    assert each > 64 * 64 * 4  # More than one plane of the input.
    monkeypatch.setattr(probe, "available_memory", lambda: (fixed + 3 * each) / (1 - probe.SPARE))
    assert probe.micro_batch(bench) == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda_a_step_is_tried_and_too_large_a_one_is_not_an_error(
    spec: Spec, images: Path, subject: MakeSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec(resources={"device": "cuda"}, schedule={"batch_size": 4})
    bench = subject(job, images).bench
    assert probe.micro_batch(bench) == 4
    monkeypatch.setattr(probe, "SPARE", 1.0)  # Nothing fits.
    assert probe.micro_batch(bench) == 1


def test_a_number_is_taken_as_given(spec: Spec, images: Path, subject: MakeSubject) -> None:
    assert probe.micro_batch(subject(spec(schedule={"batch_size": 8, "micro_batch": 3}), images).bench) == 3


def test_probing_draws_nothing_from_the_random_generators(spec: Spec, images: Path, subject: MakeSubject) -> None:
    bench = subject(spec(), images).bench
    before = torch.get_rng_state()
    probe.micro_batch(bench)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_container_with_a_limit_has_no_more_than_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max").write_text("5000\n")
    (tmp_path / "current").write_text("2000\n")
    monkeypatch.setattr(probe, "LIMIT", tmp_path / "max")
    monkeypatch.setattr(probe, "USED", tmp_path / "current")
    assert probe.available_memory() == 3000
    (tmp_path / "max").write_text("max\n")
    assert probe.available_memory() > 3000

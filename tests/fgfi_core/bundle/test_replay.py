import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from fgfi_core.bundle import record, replay, surroundings, tensors
from fgfi_core.errors import BadData

if TYPE_CHECKING:
    from tests.fgfi_core.bundle.conftest import MakeResult


def test_the_spec_that_runs_leaves_nothing_to_the_machine(bundle: record.Bundle) -> None:
    spec = replay.pinned(bundle)
    assert (spec.resources.threads, spec.resources.device) == (3, "cpu")
    assert (spec.schedule.batch_size, spec.schedule.learning_rate, spec.schedule.precision) == (2, 0.25, "fp32")


def test_the_folder_of_the_run_begins_with_what_was_resolved_and_is_left_alone_then(
    bundle: record.Bundle, tmp_path: Path
) -> None:
    replay.prepare(bundle, tmp_path / "out")
    held = json.loads((tmp_path / "out" / "resolved.json").read_text())
    assert held["asked"] == held["resolved"]["spec"] == replay.pinned(bundle).model_dump(mode="json")
    assert held["resolved"]["classes"] == ["cell"]
    (tmp_path / "out" / "resolved.json").write_text("{}")
    replay.prepare(bundle, tmp_path / "out")
    assert (tmp_path / "out" / "resolved.json").read_text() == "{}"


def test_weights_that_are_missing_or_others_are_refused(bundle: record.Bundle) -> None:
    replay.check_weights(bundle, {"teacher": "ab" * 32})
    with pytest.raises(BadData, match=r"began with the file 'teacher\.safetensors'"):
        replay.check_weights(bundle, {})
    with pytest.raises(BadData, match="another file"):
        replay.check_weights(bundle, {"teacher": "cd" * 32})


def test_other_versions_and_another_machine_are_warned_of(bundle: record.Bundle) -> None:
    here = bundle.environment.model_copy(update={"processor": "two"})
    said = replay.warnings(bundle, {"torch": "2.16.0", "numpy": "2.0.0", "jinja2": "3.2.0"}, here)
    assert said == [
        "torch was 2.15.0 and is 2.16.0",
        "1 further packages have other versions",
        "processor was one and is two",
    ]
    assert replay.warnings(bundle, bundle.packages, bundle.environment) == []


def test_trainings_are_compared_role_by_role_and_seed_by_seed(bundle: record.Bundle, make_result: "MakeResult") -> None:
    (row,) = replay.compare(bundle, make_result(0.25))
    assert (row.role, row.seed, row.before, row.after, row.difference) == ("plain", 3, 0.5, 0.25, -0.25)
    with pytest.raises(BadData, match="no plain of seed 3"):
        replay.compare(bundle, make_result(0.25).model_copy(update={"trainings": ()}))


def test_weights_have_one_hash_whatever_their_order_and_another_with_any_bit_changed() -> None:
    weights = {"a": torch.arange(3.0), "b": torch.tensor(7), "c": torch.ones(2, dtype=torch.bfloat16)}
    whole = tensors.sha256(weights)
    assert tensors.sha256(dict(reversed(weights.items()))) == whole
    assert tensors.sha256({**weights, "b": torch.tensor(8)}) != whole
    assert tensors.sha256({**weights, "a": torch.arange(3.0)[:, None]}) != whole


def test_the_surroundings_are_this_process(bundle: record.Bundle) -> None:
    here = surroundings.environment("cpu", 2)
    assert here.torch["version"] == torch.__version__
    assert (here.threads, here.device) == (2, "cpu")
    assert surroundings.packages()["torch"].startswith(torch.__version__.split("+", maxsplit=1)[0])
    assert surroundings.code().version == bundle.code.version

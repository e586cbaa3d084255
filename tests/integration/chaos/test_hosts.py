"""A worker on a host whose cable is pulled in the middle of a job, and put back."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import network

pytestmark = pytest.mark.skipif(network.needs() is not None, reason=str(network.needs()))

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What is to be judged after the whole story: `python -m tests.chaos.hosts`."""
    command = [sys.executable, "-m", "tests.chaos.hosts", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    print(*(found := json.loads(done.stdout.splitlines()[-1]))["history"], sep="\n")
    return dict(found)


def test_its_training_is_ended_before_its_lease(told: dict[str, Any]) -> None:
    assert told["ended_before_lease"] > 0


def test_the_job_goes_on_elsewhere_from_its_checkpoint(told: dict[str, Any]) -> None:
    lost, finished = told["attempts"]

    assert (lost["worker"], lost["outcome"], lost["reason"]) == (told["cut_off"], "lost", "lease_expired")
    assert finished["worker"] != told["cut_off"]
    assert finished["outcome"] == "succeeded"
    assert [one["attempt"] for one in finished["resumed_from"]] == [1]


def test_it_is_finished_once_as_if_nothing_had_been(told: dict[str, Any]) -> None:
    assert told["finishes"] == 1
    assert told["same_as_uninterrupted"]
    assert told["events_without_gaps"]


def test_back_in_the_network_it_takes_the_next_job(told: dict[str, Any]) -> None:
    assert told["next_job"] == ["succeeded", told["cut_off"]]

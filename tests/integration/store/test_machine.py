"""Random lives of jobs on real PostgreSQL, each step compared with a model, and the rare moments counted.

The clock is moved by rewriting what was written with it. MACHINE_LIVES=1000 plays so many, by chance instead of the
same ones as always.
"""

import os
from collections import Counter
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from fgfi_core.spec import JobSpec
from store.database import Sessions
from store.states import Action
from tests.integration.store.machine import Machine
from tests.integration.store.machine_model import FINISHES, WRITES

pytestmark = pytest.mark.integration

LIVES = int(os.environ.get("MACHINE_LIVES", "0"))
PROFILE = settings(
    max_examples=LIVES or 15,
    stateful_step_count=25,
    deadline=None,
    derandomize=not LIVES,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if LIVES else (Phase.generate,),
)
RARE = {
    # Writes and heartbeats of those who hold the job no more, by what became of their lease.
    **{f"zombie {what}, {why}": 4 for what in WRITES for why in ("expired", "replaced or over")},
    **{f"heartbeat refused, {why}": 3 for why in ("expired", "replaced or over")},
    **{f"guess refused, {what}": 3 for what in ("token", "attempt", "job")},
    # What reapers find.
    **{f"reaped into {state}": 3 for state in ("queued", "paused", "cancelled", "failed")},
    "failed as poison": 5,
    "failed as infrastructure_lost": 3,
    # Wishes that meet an end that was under way.
    **{f"pausing, then {write}": 2 for write in FINISHES},
    **{f"cancelling, then {write}": 2 for write in FINISHES},
    **{f"{action} refused": 5 for action in get_args(Action)},
    "cancelled while pausing": 3,
    "retried": 5,
    "resumed": 5,
    "memory ran out twice": 2,
    # Messages.
    "a message twice": 10,
    "a message for nobody": 10,
    "a message before its time": 3,
    "a lost message sent again": 2,
    "turn taken": 10,
    "report sent again": 3,
    "lease renewed late": 2,
}


@pytest.mark.timeout(0 if LIVES else 900)  # Half a minute on a machine of one's own.
def test_jobs_live_as_the_model_says_and_everything_rare_happens(
    sessions: Sessions, project_id: str, job_spec: JobSpec
) -> None:
    Machine.sessions, Machine.project_id, Machine.spec = sessions, project_id, job_spec
    Machine.seen = Counter()
    run_state_machine_as_test(Machine, settings=PROFILE)
    for name in sorted({*RARE, *Machine.seen}):
        print(f"{Machine.seen[name]:6d}  {name}")
    assert {name: Machine.seen[name] for name, least in RARE.items() if Machine.seen[name] < least} == {}

"""`make chaos`: rounds of jobs through the real service while it is broken in every way we know, then the verdict.

python -m tests.chaos.drive [--rounds 3] [--jobs 8] [--seed 1] [--faults 40] [--real 0] [--keep FOLDER]

The order of the faults follows from the seed; when each one strikes depends on the machine. Ends with one line, and
with exit code 1 when a job was lost, something happened twice or went backwards.
"""

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.checker import Findings, check
from tests.chaos.child import uninterrupted
from tests.chaos.client import Client, Watcher
from tests.chaos.faults import Chaos
from tests.chaos.history import Plan
from tests.chaos.stack import Stack

SETTLE_SECONDS = 180.0
REAL_SETTLE_SECONDS = 600.0


def plans(seed: int, jobs: int, real: int) -> list[Plan]:
    """The jobs of a round: most succeed, one in six has bad data, the first few are real trainings."""
    chance = random.Random(seed)
    made = []
    for number in range(jobs):
        steps, every = chance.randrange(20, 60), chance.randrange(4, 9)
        pause, ends = chance.uniform(0.03, 0.08), "bad_data" if number % 6 == 5 else "well"
        metadata = {"steps": steps, "every": every, "pause": pause, "ends": ends}
        key = f"round-{seed}-job-{number}"
        if number < real:
            made.append(Plan(key, {"real": True}, "succeeded", every, None))
        elif ends == "bad_data":
            made.append(Plan(key, metadata, "failed", every, ""))
        else:
            made.append(Plan(key, metadata, "succeeded", every, uninterrupted(steps)))
    return made


def play_round(stack: Stack, key: str, seed: int, jobs: int, faults: int, real: int = 0) -> Findings:
    """One round on a running service: jobs, faults, calm, verdict."""
    began = time.monotonic()
    print(f"-- seed {seed}: {jobs} jobs, {faults} faults", flush=True)
    chance = random.Random(seed)
    client, onlooker = Client(stack.url, key), Client(stack.url, key)
    dataset = client.add_dataset()
    chaos = Chaos(stack, chance, lambda what: print(f"   {time.monotonic() - began:5.1f} s  {what}", flush=True))
    histories = [client.create(plan, dataset) for plan in plans(seed, jobs, real)]
    watcher = Watcher(onlooker, histories, seed)
    watcher.start()
    for _ in range(faults):
        chaos.pass_time(chance.uniform(0.3, 1.8))
        chaos.step()
    chaos.pass_time(2)
    watcher.settle()
    deadline = time.monotonic() + (REAL_SETTLE_SECONDS if real else SETTLE_SECONDS)
    while not watcher.settled() and time.monotonic() < deadline:
        chaos.pass_time(0.5)
    chaos.calm()
    watcher.stop()
    for history in histories:
        client.close_book(history)
    client.close()
    onlooker.close()
    findings = check(histories, chaos.count, chaos.store_windows)
    again = findings.lost_steps
    print(
        f"   {time.monotonic() - began:5.1f} s  {findings.line()}; steps done again: {sorted(again, reverse=True)[:8]}"
    )
    for complaint in [*findings.lost, *findings.doubled, *findings.regressions]:
        print(f"   !! {complaint}")
    return findings


def main() -> int:
    """Play the rounds; returns the exit code."""
    parser = argparse.ArgumentParser()
    for name, usual in (("rounds", 3), ("jobs", 8), ("seed", 1), ("faults", 40), ("real", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--keep", type=Path, help="leave data and logs in this folder")
    given = parser.parse_args()
    total = Findings()
    with ExitStack() as after:
        folder = given.keep or Path(after.enter_context(tempfile.TemporaryDirectory(prefix="fgfi-chaos-")))
        folder.mkdir(parents=True, exist_ok=True)
        stack = Stack(folder.resolve())
        after.callback(stack.stop)
        key = stack.start()
        for seed in range(given.seed, given.seed + given.rounds):
            total = total + play_round(stack, key, seed, given.jobs, given.faults, given.real)
    print(total.line())
    return 0 if total.clean else 1


if __name__ == "__main__":
    sys.exit(main())

"""A worker's process without Celery, which makes one attempt and dies at a failpoint on the way.

python attempt_once.py JOB SCENE POINT
"""

import os
import sys
from pathlib import Path
from typing import cast

from store import failpoints
from store.settings import get_settings
from worker.turn import take_turn
from worker.workplace import make_workplace


def main() -> None:
    """Attempt the job, and die on the way."""
    job_id, scene, point = sys.argv[1:]
    script = str(Path(__file__).with_name("scripted_child.py"))
    failpoints.arm(cast("failpoints.Name", point), lambda: os._exit(137))
    take_turn(make_workplace(get_settings()), job_id, lambda _: None, command=(sys.executable, script, scene))


if __name__ == "__main__":
    main()

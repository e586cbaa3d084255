import os
import subprocess
import sys

import pytest

from fgfi_core.environment import allowed_cores, mimalloc, training_environment


def test_every_library_gets_the_number_of_threads() -> None:
    made = training_environment(3, {})
    assert {made[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {"3"}


def test_without_a_number_it_is_the_parents_or_one_per_core() -> None:
    assert training_environment(None, {"OMP_NUM_THREADS": "7"})["OMP_NUM_THREADS"] == "7"
    assert training_environment(None, {})["OMP_NUM_THREADS"] == str(allowed_cores())


def test_an_allocator_that_is_preloaded_stays() -> None:
    assert "LD_PRELOAD" not in training_environment(1, {"LD_PRELOAD": "other.so"})


@pytest.mark.skipif(sys.platform != "linux", reason="preloading and /proc are Linux's")
def test_the_allocator_is_in_the_process_that_is_started_so() -> None:
    assert mimalloc() is not None
    environment = {**os.environ, **training_environment(1, {})}
    program = "print('libmimalloc' in open('/proc/self/maps').read())"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"

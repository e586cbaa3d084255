"""The memory probe: tries the passes of each training, and finds how many images go through at once."""

import gc
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from torch import Tensor

from fgfi_core.errors import JobError
from fgfi_core.preflight.trial import images, roles, trial_step
from fgfi_core.results import Role
from fgfi_core.spec import Schedule
from fgfi_core.training.checkpoint import kept_random_state
from fgfi_core.training.micro_batch import largest_that_fits
from fgfi_core.training.trainings import Bench

SPARE = 0.1  # of the room, left free
IMAGES = 2  # that are measured on a CPU; batch norms of one-cell maps need two
# Gradients of activations and workspaces come on top of what the graph keeps.
OVER_GRAPH = 2.0
# Weights, gradients and the optimiser's states, of SGD and AdamW.
PER_WEIGHT = {"sgd": 3, "adamw": 4}
LIMIT, USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def micro_batch(bench: Bench) -> int:
    """Images in one pass, the same for every training of the job, so that they share one schedule.

    On CUDA a step of each role is tried. On a CPU, which has no such error to catch, memory is estimated from what the
    graph of a small batch keeps. Where that cannot be done it is the whole batch: what is wrong with the spec is for
    the checks to say.
    """
    schedule = bench.resolved.spec.schedule
    if schedule.micro_batch != "auto":
        return schedule.micro_batch
    whole = size = int(schedule.batch_size) // bench.resolved.spec.resources.count  # Of one process's part.
    if size == 1:
        return size
    try:
        with kept_random_state():
            for role in roles(bench):
                size = largest_that_fits(size, _fits(bench, role))
    except (JobError, ValueError):
        return whole
    return size


def _fits(bench: Bench, role: Role) -> Callable[[int], bool]:
    if bench.placement.device.type == "cuda":
        return lambda count: _fits_on_cuda(bench, role, count)
    fixed, each = _graph_bytes(bench, role)
    room = (1 - SPARE) * available_memory() / bench.resolved.spec.resources.count
    return lambda count: fixed + count * each <= room


def _fits_on_cuda(bench: Bench, role: Role, count: int) -> bool:
    device = bench.placement.device
    # What the size before left behind.
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    room = torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    try:
        trial_step(bench, role, _whole(bench))(images(bench, role, count), 0, 0.0)
        return torch.cuda.max_memory_reserved(device) <= (1 - SPARE) * room
    except torch.cuda.OutOfMemoryError:
        return False


def _graph_bytes(bench: Bench, role: Role) -> tuple[float, float]:
    """Bytes of the models, and of each image, in a step on a CPU."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()

    schedule = _whole(bench)
    step = trial_step(bench, role, schedule)
    learner = step.learner
    modules = [learner.detector] + ([] if learner.imitate is None else [learner.imitate.module])
    weights = [parameter for module in modules for parameter in module.parameters()]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step(images(bench, role, IMAGES), 0, 0.0)
    for weight in weights:
        kept.pop(weight.untyped_storage().data_ptr(), None)
    fixed = PER_WEIGHT[schedule.optimizer] * sum(weight.nbytes for weight in weights)
    return fixed, OVER_GRAPH * sum(kept.values()) / IMAGES


def available_memory() -> int:
    """Bytes that this process may still take: of the machine, or of its container where that has a limit."""
    free = int(psutil.virtual_memory().available)
    try:
        return min(free, int(LIMIT.read_text()) - int(USED.read_text()))
    except (OSError, ValueError):
        return free  # No such limit, or the word 'max'.


def _whole(bench: Bench) -> Schedule:
    """The schedule with no micro-batches: what is passed goes through at once."""
    return bench.resolved.spec.schedule.model_copy(update={"micro_batch": "auto"})

"""A program: one step of fine-grained imitation in one of several processes, each with its part of the batch.

Arguments: folder, rank, number of processes. Rank 0 leaves `<processes>.pt` in the folder: for each case the gradients,
averaged over processes as DistributedDataParallel does, and the weight that was measured; for each of `DETECTORS` its
losses, averaged likewise.
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from fgfi_core.detectors import create as create_detector
from fgfi_core.detectors.detector import Target
from fgfi_core.imitation import GradientBalance, StudentPass, create
from fgfi_core.spec import FineGrained

ONE, TWO = [[4.0, 6.0, 30.0, 40.0]], [[30.0, 8.0, 90.0, 60.0], [2.0, 2.0, 20.0, 16.0]]
# Boxes of the batch's four images; of two processes the first has the first two.
Boxes = list[list[float]]
CASES: dict[str, tuple[Boxes, ...]] = {
    "uneven": (TWO, ONE, ONE, []),
    "one side empty": (ONE, TWO, [], []),
    "all empty": ([], [], [], []),
}
# One of each family that draws no random numbers while it learns.
DETECTORS = (
    "ssd-shufflenetv2-0.25x",
    "shuffledet-0.25x",
    "ssdlite320-mobilenet-v3",
    "retinanet-resnet18-fpn",
    "fcos-resnet18-fpn",
)


def step(boxes: tuple[Boxes, ...], rank: int, world: int) -> dict[str, object]:
    """Averaged gradients and weight of one step on this process's part of the images."""
    torch.manual_seed(0)
    teacher, student = (
        create_detector(f"ssd-shufflenetv2-{width}", 2, (96, 64)).double().eval() for width in ("0.5x", "0.25x")
    )
    module = create(FineGrained(), teacher, student).double()
    images = torch.rand(len(boxes), 3, 64, 96, dtype=torch.float64)
    part = slice(rank * len(boxes) // world, (rank + 1) * len(boxes) // world)
    targets = [
        Target(torch.tensor(image).reshape(-1, 4), torch.zeros(len(image), dtype=torch.int64)) for image in boxes[part]
    ]
    maps = student.features(images[part])
    outputs = student.heads(maps)
    loss = module(StudentPass(images[part], targets, maps, outputs))["imitation"]
    balance = GradientBalance(balance=0.5, steps=1)
    balance.update(outputs["logits"].square().mean(), loss, maps)
    torch.autograd.backward(loss)
    gradients = {}
    for name, parameter in (*student.named_parameters(), *module.named_parameters()):
        if parameter.grad is not None:
            if world > 1:
                dist.all_reduce(parameter.grad)
            gradients[name] = parameter.grad / world
    return {"gradients": gradients, "weight": balance.value}


@torch.no_grad()
def losses(name: str, boxes: tuple[Boxes, ...], rank: int, world: int) -> dict[str, torch.Tensor]:
    """A detector's own losses on this process's part of the images, as their mean over processes."""
    torch.manual_seed(0)
    detector = create_detector(name, 2, (96, 64)).eval()
    images = torch.rand(len(boxes), 3, 64, 96)
    part = slice(rank * len(boxes) // world, (rank + 1) * len(boxes) // world)
    targets = [
        Target(torch.tensor(image).reshape(-1, 4), torch.zeros(len(image), dtype=torch.int64)) for image in boxes[part]
    ]
    own = detector.losses(detector.heads(detector.features(images[part])), targets)
    if world > 1:
        for loss in own.values():
            dist.all_reduce(loss)
    return {term: loss / world for term, loss in own.items()}


def main(folder: Path, rank: int, world: int) -> None:
    """Run all cases."""
    torch.set_num_threads(1)
    if world > 1:
        dist.init_process_group("gloo", init_method=(folder / "meeting").as_uri(), rank=rank, world_size=world)
    results: dict[str, object] = {name: step(boxes, rank, world) for name, boxes in CASES.items()}
    results |= {name: losses(name, CASES["uneven"], rank, world) for name in DETECTORS}
    if rank == 0:
        torch.save(results, folder / f"{world}.pt")
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

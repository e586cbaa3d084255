"""How much faster adapting the masked cells alone is than adapting the whole map, forward and backward.

python -m bench.adapter [--rounds 10] [--threads 1 2]
"""

import argparse
from collections.abc import Callable

import torch

from bench.timing import interleaved, report
from fgfi_core.imitation import Adapter, imitation_loss

Case = tuple[int, int, int, int, int, float]
# (batch, student channels, teacher channels, rows, columns, share of cells masked)
CASES = (
    (1, 512, 512, 37, 62, 0.13),
    (8, 116, 464, 24, 78, 0.10),
    (1, 256, 256, 80, 80, 0.05),
    (8, 48, 232, 15, 20, 0.15),
)
LAYOUTS = {torch.contiguous_format: "channels first", torch.channels_last: "channels last"}


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    print(f"Adapter and imitation loss, forward and backward; median milliseconds of {arguments.rounds}")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for case in CASES:
            for layout, layout_name in LAYOUTS.items():
                dense, masked = _alternatives(case, layout)
                times = interleaved(arguments.rounds, dense, masked)
                report(f"{_name(case)}, {layout_name}, threads {threads}", "dense", "masked", times)


def _name(case: Case) -> str:
    batch, channels, teacher_channels, rows, columns, share = case
    return f"{batch} x {channels}->{teacher_channels} on {rows}x{columns}, {share:.0%} masked"


def _alternatives(case: Case, layout: torch.memory_format) -> tuple[Callable[[], None], Callable[[], None]]:
    batch, channels, teacher_channels, rows, columns, share = case
    torch.manual_seed(0)
    adapter = Adapter(channels, teacher_channels).to(memory_format=layout)
    x = torch.randn(batch, channels, rows, columns).contiguous(memory_format=layout).requires_grad_()
    teacher = torch.randn(batch, teacher_channels, rows, columns).contiguous(memory_format=layout)
    mask = torch.rand(batch, rows, columns) < share

    def dense() -> None:
        squares = (adapter.forward(x) - teacher).square().sum(1) * mask
        torch.autograd.backward(squares.sum() / (2 * mask.sum()))

    def masked() -> None:
        torch.autograd.backward(imitation_loss([adapter], [x], [teacher], [mask]))

    return dense, masked


if __name__ == "__main__":
    main()

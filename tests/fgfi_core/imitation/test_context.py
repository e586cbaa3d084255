"""The context block's sums written out."""

import math

import pytest
import torch
from torch import nn

from fgfi_core.imitation.context import ContextBlock


def block(channels: int) -> ContextBlock:
    torch.manual_seed(0)
    made = ContextBlock(channels).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.7)
    return made


def test_it_starts_as_the_identity() -> None:
    x = torch.randn(2, 6, 4, 5)
    assert torch.equal(ContextBlock(6)(x), x)


def test_what_is_added_is_the_transformed_attention_over_the_map() -> None:
    made, x = block(6), torch.randn(2, 6, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    first, norm, last = made.transform[0], made.transform[1], made.transform[3]
    parts = [p.detach().flatten(1) if p.ndim == 4 else p.detach().flatten() for p in made.parameters()]
    attend, first_weight, first_bias, scale, shift, last_weight, last_bias = parts
    assert isinstance(first, nn.Conv2d)
    assert isinstance(norm, nn.LayerNorm)
    assert isinstance(last, nn.Conv2d)
    for n, got in enumerate(made(x).detach()):
        cells = [(i, j) for i in range(4) for j in range(5)]
        raised = {cell: math.exp(sum(float(attend[0, c] * x[n, c][cell]) for c in range(6))) for cell in cells}
        context = [sum(raised[cell] * float(x[n, c][cell]) for cell in cells) / sum(raised.values()) for c in range(6)]
        inner = [sum(float(first_weight[k, c]) * context[c] for c in range(6)) + float(first_bias[k]) for k in range(3)]
        mean = sum(inner) / 3
        deviation = math.sqrt(sum((v - mean) ** 2 for v in inner) / 3 + norm.eps)
        active = [max(0.0, float(scale[k]) * (inner[k] - mean) / deviation + float(shift[k])) for k in range(3)]
        for c in range(6):
            added = sum(float(last_weight[c, k]) * active[k] for k in range(3)) + float(last_bias[c])
            for cell in cells:
                assert float(got[c][cell]) == pytest.approx(float(x[n, c][cell]) + added, rel=1e-6)


def test_gradients_are_those_of_the_formula() -> None:
    made, x = block(4), torch.randn(1, 4, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(made, x.requires_grad_())

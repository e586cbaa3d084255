"""The masked adaptation is the dense one, cell for cell, forward and backward."""

import pytest
import torch
from torch import Tensor

from fgfi_core.imitation import Adapter


def adapter(channels: int = 6, teacher_channels: int = 10, dtype: torch.dtype = torch.float64) -> Adapter:
    """An adapter whose weights matter; as initialised, both paths would agree by being nearly zero."""
    torch.manual_seed(0)
    module = Adapter(channels, teacher_channels).to(dtype)
    torch.nn.init.normal_(module.conv.weight, std=0.3)
    return module


def maps(dtype: torch.dtype = torch.float64, memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
    x = torch.randn(3, 6, 7, 9, dtype=dtype, generator=torch.Generator().manual_seed(1))
    return x.contiguous(memory_format=memory_format).requires_grad_()


def some_cells() -> Tensor:
    mask = torch.rand(3, 7, 9, generator=torch.Generator().manual_seed(2)) < 0.3
    mask[0, 0, 0] = mask[1, 6, 8] = mask[2, 0, 8] = True  # corners read beyond the border
    return mask


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_masked_equals_dense_forward_and_backward(
    dtype: torch.dtype, tolerance: float, memory_format: torch.memory_format
) -> None:
    module, x, mask = adapter(dtype=dtype), maps(dtype, memory_format), some_cells()
    dense, masked = module(x).movedim(1, -1)[mask], module.masked(x, mask)
    torch.testing.assert_close(masked, dense, rtol=tolerance, atol=tolerance)

    pull = torch.randn_like(dense)
    wanted = torch.autograd.grad((dense * pull).sum(), [x, *module.parameters()])
    got = torch.autograd.grad((masked * pull).sum(), [x, *module.parameters()])
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_masked_cells_come_in_the_order_of_nonzero() -> None:
    module, x, mask = adapter(), maps(), some_cells()
    dense = module(x)
    rows = [dense[b, :, i, j] for b, i, j in mask.nonzero().tolist()]
    torch.testing.assert_close(module.masked(x, mask), torch.stack(rows))


def test_an_empty_mask_gives_no_rows_and_zero_gradients() -> None:
    module, x = adapter(), maps()
    adapted = module.masked(x, torch.zeros(3, 7, 9, dtype=torch.bool))
    assert adapted.shape == (0, 10)
    torch.autograd.backward(adapted.sum())
    for gradient in (x.grad, module.conv.weight.grad):
        assert gradient is not None
        assert not gradient.any()


def test_a_full_mask_is_the_dense_map() -> None:
    module, x = adapter(), maps()
    adapted = module.masked(x, torch.ones(3, 7, 9, dtype=torch.bool))
    torch.testing.assert_close(adapted.view(3, 7, 9, 10).movedim(-1, 1), module(x))


def test_masked_follows_autocast_as_the_convolution_does() -> None:
    module, x, mask = adapter(dtype=torch.float32), maps(torch.float32), some_cells()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        dense, masked = module(x), module.masked(x, mask)
    assert masked.dtype == dense.dtype == torch.bfloat16
    torch.testing.assert_close(masked, dense.movedim(1, -1)[mask], rtol=0.05, atol=0.05)


def test_it_starts_near_zero_from_a_truncated_normal() -> None:
    module = Adapter(64, 64)
    weight = module.conv.weight.detach()
    assert float(weight.abs().max()) <= 2e-4
    assert float(weight.std()) == pytest.approx(0.88e-4, rel=0.02)  # 1e-4 before its tails are cut off
    assert module.conv.bias is not None
    assert not module.conv.bias.any()

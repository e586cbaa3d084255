"""MGD hides what it says, draws it from the generator a checkpoint holds, and sums squared errors."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fgfi_core.detectors.detector import Detector
from fgfi_core.imitation import StudentPass, create
from fgfi_core.imitation.mgd import MaskedGenerativeImitation, hidden, mgd_loss
from fgfi_core.spec.methods import MaskedGenerative


def maps(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_loss_is_the_sum_of_squared_errors_over_images() -> None:
    generated, teacher = maps(1, 2, 3, 4, 5), maps(2, 2, 3, 4, 5)
    pairs = zip(generated.flatten().tolist(), teacher.flatten().tolist(), strict=True)
    assert float(mgd_loss(generated, teacher)) == pytest.approx(sum((a - b) ** 2 for a, b in pairs) / 2, rel=1e-6)


def test_gradient_is_that_of_the_formula() -> None:
    generated, teacher = maps(1, 2, 2, 3, 3).requires_grad_(), maps(2, 2, 2, 3, 3)
    assert torch.autograd.gradcheck(lambda x: mgd_loss(x, teacher), generated)


@pytest.mark.parametrize("share", [0.0, 0.45, 0.65])
def test_this_share_of_cells_is_hidden_in_all_channels_at_once(share: float) -> None:
    torch.manual_seed(0)
    seen = hidden(torch.ones(4, 3, 40, 50), share)
    assert torch.equal(seen, seen[:, :1].expand_as(seen))
    assert float(seen.mean()) == pytest.approx(1 - share, abs=0.02)
    assert bool(((seen == 0) | (seen == 1)).all())


def test_a_level_is_generated_from_the_kept_cells(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,)), pyramid((4,))
    module = create(MaskedGenerative(masked=0.5), teacher, student)
    assert isinstance(module, MaskedGenerativeImitation)
    at = student_pass(student)
    torch.manual_seed(3)
    got = module(at)["imitation"]
    torch.manual_seed(3)
    kept = torch.rand(2, 1, 6, 8) >= 0.5
    generated = module.generators[0](module.adapters[0](at.maps[0]) * kept)
    torch.testing.assert_close(got, (generated - teacher.features(at.images)[0]).square().sum() / 2)


def test_a_restored_generator_hides_the_same_cells(
    pyramid: Callable[..., Detector], student_pass: Callable[..., StudentPass]
) -> None:
    teacher, student = pyramid((6,)), pyramid((4,))
    module, at = create(MaskedGenerative(), teacher, student), student_pass(student)
    state = torch.get_rng_state()
    first, second = module(at), module(at)
    torch.set_rng_state(state)
    assert torch.equal(module(at)["imitation"], first["imitation"])
    assert not torch.equal(first["imitation"], second["imitation"])

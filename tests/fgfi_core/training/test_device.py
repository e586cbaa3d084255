import pytest
import torch

from fgfi_core.environment import allowed_cores
from fgfi_core.errors import BadSpec
from fgfi_core.spec import Resources
from fgfi_core.training.device import choose


def test_a_cpu_computes_in_float32_on_all_allowed_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    placement = choose(Resources(device="cpu"), "auto")
    assert (placement.device.type, placement.precision, placement.threads) == ("cpu", "fp32", allowed_cores())


def test_a_number_of_threads_set_for_the_process_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert choose(Resources(device="cpu"), "auto").threads == 5


def test_a_number_of_threads_is_taken_as_given() -> None:
    assert choose(Resources(device="cpu", threads=3), "auto").threads == 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_cuda_that_is_not_there_is_refused_with_the_field_and_what_to_do() -> None:
    with pytest.raises(BadSpec, match=r"resources\.device is 'cuda'.*Use 'auto' or 'cpu'"):
        choose(Resources(device="cuda"), "auto")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_is_chosen_where_there_is_one() -> None:
    assert choose(Resources(), "auto").device.type == "cuda"


def test_modules_are_placed_channels_last() -> None:
    placement = choose(Resources(device="cpu"), "auto")
    convolution = torch.nn.Conv2d(3, 4, 3)
    placement.place(convolution)
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)


def test_a_cpu_is_called_cpu() -> None:
    assert choose(Resources(device="cpu"), "auto").name == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_is_called_by_its_own_name() -> None:
    assert choose(Resources(), "auto").name == f"cuda: {torch.cuda.get_device_name()}"

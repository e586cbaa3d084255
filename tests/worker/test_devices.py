from pathlib import Path
from types import SimpleNamespace

import pytest

from worker.devices import Devices


class NvmlError(Exception):
    """Stands for NVML's own."""


class Nvml:
    """A driver with some cards: the few calls of `pynvml` that are used."""

    NVMLError = NvmlError

    def __init__(self, cards: int) -> None:
        self.cards = cards
        self.lost: int | None = None

    def nvmlInit(self) -> None:  # noqa: N802 - its name
        if self.cards < 0:
            raise NvmlError("driver not loaded")

    def nvmlShutdown(self) -> None:  # noqa: N802 - its name
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - its name
        return self.cards

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802 - its name
        return index

    def nvmlDeviceGetName(self, handle: int) -> bytes:  # noqa: N802 - its name
        return f"card {handle}".encode()

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802 - its name
        if handle == self.lost:
            raise NvmlError("GPU is lost")
        return SimpleNamespace(total=80 * 2**30, used=(handle + 1) * 2**30)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802 - its name
        return SimpleNamespace(gpu=97 - handle, memory=40)


def test_the_cards_are_named_with_their_memory() -> None:
    devices = Devices(Nvml(2), {})
    assert devices.found == [{"name": f"card {n}", "memory": 80 * 2**30} for n in range(2)]
    assert (devices.classes, devices.trouble()) == (("gpu", "cpu"), None)


def test_the_load_of_each_card_is_told() -> None:
    load = Devices(Nvml(2), {}).load()
    assert load == [{"busy": 0.97, "memory_used": 2**30}, {"busy": 0.96, "memory_used": 2 * 2**30}]


def test_a_card_that_does_not_answer_says_no_load() -> None:
    nvml = Nvml(2)
    devices = Devices(nvml, {})
    nvml.lost = 1
    assert devices.load() == []


def test_a_card_that_does_not_answer_is_trouble() -> None:
    nvml = Nvml(2)
    devices = Devices(nvml, {})
    nvml.lost = 1
    assert devices.trouble() == "a device does not answer: GPU is lost"


def test_a_card_that_is_gone_is_trouble() -> None:
    nvml = Nvml(2)
    devices = Devices(nvml, {})
    nvml.cards = 1
    assert devices.trouble() == "1 of 2 devices are gone"


@pytest.mark.parametrize("nvml", [None, Nvml(0), Nvml(-1)])
def test_a_machine_without_cards_is_well(nvml: Nvml | None, tmp_path: Path) -> None:
    devices = Devices(nvml, {}, tmp_path)
    assert (devices.found, devices.classes, devices.trouble()) == ([], ("cpu",), None)


def test_hidden_cards_do_not_count() -> None:
    assert Devices(Nvml(2), {"CUDA_VISIBLE_DEVICES": ""}).classes == ("cpu",)


def test_without_the_binding_the_drivers_own_files_tell_the_cards(tmp_path: Path) -> None:
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0" / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 7\n")
    devices = Devices(None, {}, tmp_path)
    assert (devices.found, devices.classes, devices.trouble()) == ([{"name": "NVIDIA H200"}], ("gpu", "cpu"), None)

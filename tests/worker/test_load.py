from tests.worker.test_devices import Nvml
from worker.devices import Devices
from worker.load import Load


def test_a_sample_is_of_this_machine_and_all_its_cards() -> None:
    sample = Load(Devices(Nvml(2), {})).sample()
    assert 0 <= sample["busy"] <= 1
    assert 0 < sample["memory_used"] < sample["memory"]
    assert sample["processors"] >= 1
    assert [one["busy"] for one in sample["devices"]] == [0.97, 0.96]


def test_a_machine_without_cards_has_its_own_load_alone() -> None:
    assert Load(Devices(Nvml(0), {})).sample()["devices"] == []

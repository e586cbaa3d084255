"""How busy this machine is, sampled with each sign of life: processor, memory, and each accelerator."""

import psutil

from store.tables.base import Json
from worker.devices import Devices


class Load:
    """Asks the system and the driver. The first sample is of the time since this was made."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        psutil.cpu_percent(interval=None)  # Counts from here on.

    def sample(self) -> Json:
        """The machine now: the processors' busy share in [0, 1], bytes of memory, and each device as it was found."""
        memory = psutil.virtual_memory()
        return {
            "busy": psutil.cpu_percent(interval=None) / 100,
            "processors": psutil.cpu_count() or 1,
            "memory_used": memory.total - memory.available,
            "memory": memory.total,
            "devices": self._devices.load(),
        }

"""The accelerators of this machine and whether they are well, asked of NVML where its Python binding is installed."""

import importlib
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from store.tables.base import Json

log = logging.getLogger(__name__)

DRIVER = Path("/proc/driver/nvidia/gpus")
HIDDEN = {"", "-1", "none", "void"}


class Devices:
    """What was found when the worker began, and how it is now. nvml: the module `pynvml`, None where it is missing."""

    def __init__(self, nvml: Any, environment: Mapping[str, str] = os.environ, driver: Path = DRIVER) -> None:
        self._nvml = nvml
        self._hidden = environment.get("CUDA_VISIBLE_DEVICES", "all").strip().lower() in HIDDEN
        self._driver = driver
        self.found: list[Json] = [] if self._hidden else self._look()

    @property
    def classes(self) -> tuple[str, ...]:
        """What this machine is by itself: one with an accelerator can do what needs none, too."""
        return ("gpu", "cpu") if self.found else ("cpu",)

    def trouble(self) -> str | None:
        """Why nothing should be begun on this machine now; None when nothing is known against it."""
        if self._nvml is None or not self.found:
            return None
        try:
            well = len(self._ask())
        except self._nvml.NVMLError as error:
            return f"a device does not answer: {error}"
        return f"{len(self.found) - well} of {len(self.found)} devices are gone" if well < len(self.found) else None

    def load(self) -> list[Json]:
        """How busy each device is, in [0, 1], and its bytes of memory in use; nothing where the driver does not say."""
        if self._nvml is None or not self.found:
            return []
        try:
            return self._each(
                lambda one: {
                    "busy": self._nvml.nvmlDeviceGetUtilizationRates(one).gpu / 100,
                    "memory_used": int(self._nvml.nvmlDeviceGetMemoryInfo(one).used),
                }
            )
        except self._nvml.NVMLError as error:
            log.info("no load by NVML: %s", error)
            return []

    def _look(self) -> list[Json]:
        if self._nvml is not None:
            try:
                return self._ask()
            except self._nvml.NVMLError as error:
                log.info("no device by NVML: %s", error)
                return []
        return [{"name": _model(folder)} for folder in sorted(self._driver.glob("*"))]

    def _ask(self) -> list[Json]:
        nvml = self._nvml
        return self._each(
            lambda one: {
                "name": _text(nvml.nvmlDeviceGetName(one)),
                "memory": int(nvml.nvmlDeviceGetMemoryInfo(one).total),
            }
        )

    def _each(self, ask: Callable[[Any], Json]) -> list[Json]:
        """The answer of every device. Raises NVMLError."""
        nvml = self._nvml
        nvml.nvmlInit()
        try:
            return [ask(nvml.nvmlDeviceGetHandleByIndex(index)) for index in range(nvml.nvmlDeviceGetCount())]
        finally:
            nvml.nvmlShutdown()


def find_devices() -> Devices:
    """The devices of this machine."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        nvml = None
    return Devices(nvml)


def _model(folder: Path) -> str:
    """The name in the driver's own description of a device."""
    try:
        lines = (folder / "information").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "NVIDIA device"
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("Model")]
    return named[0] if named else "NVIDIA device"


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name

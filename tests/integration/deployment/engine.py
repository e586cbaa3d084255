"""Runs the Compose file's services as plain processes, each in a root of its own.

Bubblewrap shows each only what its image and its `volumes`, `tmpfs`, `configs` and `read_only` would: the folders that
the Dockerfile copies, the packages it installs. All share one network namespace in which every service's name is
127.0.0.1, so that commands and variables are the file's, to the letter.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from tests.integration.deployment import compose, stand_ins
from tests.integration.deployment.compose import ROOT, Image

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/passwd", "/etc/group", "/etc/ssl", "/etc/ld.so.cache")
_START_SECONDS = 90.0


class Engine:
    """One project of services below `folder`, in a namespace of its own."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self._content = compose.read(variables)
        self.services: dict[str, dict[str, Any]] = self._content["services"]
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._namespace = f"fgfi-{os.getpid()}-{secrets.token_hex(2)}"
        self._images: dict[str, Image] = {}
        self._environments: dict[tuple[str, ...], Path] = {}

    def up(self) -> None:
        """Start all in the order of `depends_on`, each when what it waits for is there."""
        self._add_namespace()
        for name in compose.in_order(self.services):
            for other, how in self.services[name].get("depends_on", {}).items():
                self._wait(other, how["condition"])
            self._start(name)
        for name, service in self.services.items():
            if "healthcheck" in service:
                self._wait(name, "service_healthy")

    def down(self) -> dict[str, int]:
        """Stop all, the last started first; returns the exit codes.

        Ours by signal and within their grace, -9 past it; the servers at once, for nobody needs their data any more.
        """
        codes = {}
        for name in reversed(self._running):
            process, service = self._running[name], self.services[name]
            # To what Bubblewrap watches: its own end would be the end of that, at once.
            ours = "build" in service and process.poll() is None
            for inside in psutil.Process(process.pid).children() if ours else ():
                inside.send_signal(signal.Signals[service.get("stop_signal", "SIGTERM")])
            with suppress(subprocess.TimeoutExpired):
                process.wait(ours * compose.seconds(service.get("stop_grace_period", "10s")))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            codes[name] = process.wait()
        subprocess.run(["ip", "netns", "delete", self._namespace], check=False)
        shutil.rmtree(self._hosts.parent, ignore_errors=True)
        return codes

    def run(self, command: list[str], **settings: Any) -> "subprocess.CompletedProcess[str]":
        """A command of this machine in the services' network."""
        words = ["ip", "netns", "exec", self._namespace, *command]
        return subprocess.run(words, capture_output=True, text=True, check=False, **settings)

    def execute(self, name: str, command: list[str]) -> "subprocess.CompletedProcess[str]":
        """A command inside a service, as `docker compose exec` gives it."""
        return subprocess.run(self._boxed(name, command), capture_output=True, text=True, check=False)

    def log(self, name: str) -> str:
        """What a service said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    @property
    def _hosts(self) -> Path:
        return Path("/etc/netns") / self._namespace / "hosts"

    def _add_namespace(self) -> None:
        subprocess.run(["ip", "netns", "add", self._namespace], check=True)
        subprocess.run(["ip", "-n", self._namespace, "link", "set", "lo", "up"], check=True)
        self._hosts.parent.mkdir(parents=True)
        self._hosts.write_text(f"127.0.0.1 localhost {' '.join(self.services)}\n")

    def _start(self, name: str) -> None:
        service = self.services[name]
        entry = service.get("entrypoint", stand_ins.ENTRY_POINTS.get(service["image"].split(":")[0], []))
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                self._boxed(name, [*entry, *service.get("command", [])]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait(self, name: str, condition: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            code = self._running[name].poll()
            if condition == "service_completed_successfully":
                if code == 0:
                    return
                assert code is None, f"{name} ended with {code}:\n{self.log(name)}"
            else:
                assert code is None, f"{name} ended with {code}:\n{self.log(name)}"
                if self._healthy(name):
                    return
            time.sleep(0.2)  # Asks another process; the test waits for its answer, not for a time.
        raise AssertionError(f"{name} did not become {condition}:\n{self.log(name)}")

    def _healthy(self, name: str) -> bool:
        kind, *words = self.services[name]["healthcheck"]["test"]
        return self.execute(name, ["sh", "-c", *words] if kind == "CMD-SHELL" else words).returncode == 0

    def _boxed(self, name: str, command: list[str]) -> list[str]:
        """The command in the root that the service sees."""
        service = self.services[name]
        words = ["ip", "netns", "exec", self._namespace, "bwrap", "--unshare-user", "--uid", "65534", "--gid", "65534"]
        words += ["--die-with-parent", "--clearenv", "--tmpfs", "/", "--dev", "/dev", "--bind", "/proc", "/proc"]
        for path in _SYSTEM:
            words += ["--ro-bind-try", path, path]
        words += ["--ro-bind", str(self._hosts), "/etc/hosts", "--tmpfs", "/var/lib"]
        variables = dict(service.get("environment", {}))
        image = self._image(service)
        if image is None:
            words += ["--ro-bind", str(self._servers), "/opt/servers"]
            variables["PATH"] = "/opt/servers:/usr/bin:/bin"
        else:
            variables = {**image.environment, **variables}
            words += ["--ro-bind", str(self._environment(image.extras)), "/opt/fgfi", "--chdir", "/app"]
            for source, target in image.copied.items():
                words += ["--ro-bind", str(ROOT / source), target]
        for folder, target in self._mounts(name, service, image):
            words += ["--bind", str(folder), target]
        # After the folders, for a checkout may lie below one of them.
        for path in (sys.base_prefix, sys.prefix):
            words += ["--ro-bind", path, path]
        for config in service.get("configs", []):
            words += ["--ro-bind", str(self._config(config["source"])), config["target"]]
        if service.get("read_only"):
            words += ["--remount-ro", "/"]
        for variable, value in variables.items():
            words += ["--setenv", variable, value]
        return [*words, *command]

    def _mounts(self, name: str, service: Mapping[str, Any], image: Image | None) -> Iterator[tuple[Path, str]]:
        """Folders that a service may write to: named volumes, an image's own, `tmpfs`."""
        named = dict(reversed(volume.split(":")) for volume in service.get("volumes", []))
        unnamed = {target: f"{name}{target}".replace("/", "-") for target in image.volumes} if image else {}
        writable = service.get("tmpfs", ["/tmp"])
        for target, volume in {**unnamed, **named, **dict.fromkeys(writable, f"{name}-tmpfs")}.items():
            folder = self._folder / "volumes" / volume
            folder.mkdir(parents=True, exist_ok=True)
            yield folder, target

    def _config(self, source: str) -> Path:
        file = self._folder / f"config-{source}"
        # Once: a health check comes here too, and must not empty the file under the service that reads it.
        if not file.exists():
            file.write_text(self._content["configs"][source]["content"])
        return file

    def _image(self, service: Mapping[str, Any]) -> Image | None:
        build = service.get("build")
        if build is None:
            return None
        file = build["dockerfile"]
        if file not in self._images:
            self._images[file] = Image.read(ROOT / file)
        return self._images[file]

    def _environment(self, extras: tuple[str, ...]) -> Path:
        if extras not in self._environments:
            folder = self._folder / "-".join(("packages", *extras))
            self._environments[extras] = stand_ins.environment(folder, extras)
        return self._environments[extras]

    @cached_property
    def _servers(self) -> Path:
        return stand_ins.servers(self._folder / "servers")


def needs() -> str | None:
    """What this machine lacks for it; None when nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs Linux and root, for network namespaces"
    missing = [program for program in ("ip", "bwrap") if shutil.which(program) is None]
    return f"needs the packages iproute2 and bubblewrap ({', '.join(missing)} missing)" if missing else None


@contextmanager
def running(folder: Path, variables: Mapping[str, str]) -> Iterator[Engine]:
    """The services for the length of a block."""
    engine = Engine(folder, variables)
    try:
        engine.up()
        yield engine
    finally:
        engine.down()

"""Hosts on one machine: network namespaces with a cable each to a switch, which can be pulled and put back.

Needs Linux, root and iproute2. Nothing of it touches the machine's own network.
"""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SUBNET = "10.99.0"


def needs() -> str | None:
    """What this machine lacks for it; None when nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs Linux and root, for network namespaces"
    return None if shutil.which("ip") else "needs the package iproute2"


class Network:
    """A switch and hosts, by their names. mark: what their namespaces' names begin with."""

    def __init__(self, mark: str, hosts: tuple[str, ...]) -> None:
        self.mark = mark
        self.addresses = {host: f"{SUBNET}.{number}" for number, host in enumerate(hosts, start=1)}

    def inside(self, host: str) -> tuple[str, ...]:
        """Words before a command that is to run on this host, under its name."""
        rename = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', host)
        return (shutil.which("ip") or "ip", "netns", "exec", f"{self.mark}-{host}", *rename)

    def build(self) -> None:
        """Make the hosts, and connect them."""
        _ip("netns", "add", self._switch)
        _ip("-n", self._switch, "link", "add", "bridge", "up", "type", "bridge")
        for host, address in self.addresses.items():
            there = f"{self.mark}-{host}"
            _ip("netns", "add", there)
            _ip("-n", self._switch, "link", "add", host, "type", "veth", "peer", "name", "cable", "netns", there)
            _ip("-n", self._switch, "link", "set", host, "master", "bridge", "up")
            _ip("-n", there, "link", "set", "lo", "up")
            _ip("-n", there, "address", "add", f"{address}/24", "dev", "cable")
            _ip("-n", there, "link", "set", "cable", "up")

    def pull(self, host: str) -> None:
        """Cut a host off: what it sends and what is sent to it is gone, and nobody is told."""
        _ip("-n", self._switch, "link", "set", host, "down")

    def connect(self, host: str) -> None:
        """Put the cable back."""
        _ip("-n", self._switch, "link", "set", host, "up")

    def remove(self) -> None:
        """Take all away, with whatever still runs there."""
        for name in (*(f"{self.mark}-{host}" for host in self.addresses), self._switch):
            found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
            for pid in found.stdout.split():
                subprocess.run(["kill", "-KILL", pid], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    @property
    def _switch(self) -> str:
        return f"{self.mark}-switch"


@contextmanager
def built(*hosts: str) -> Iterator[Network]:
    """A network for the length of a block."""
    network = Network(f"fgfi-{os.getpid()}-{secrets.token_hex(2)}", hosts)
    try:
        network.build()
        yield network
    finally:
        network.remove()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)

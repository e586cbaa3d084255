"""Where the service may send requests: the resolver's answers are given, as a hostile one would choose them."""

import socket
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from store.errors import AddressRefused
from store.public_address import public_addresses

Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Lets every name lead to these addresses."""

    def to(*addresses: str) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_named: found)

    return to


def test_public_addresses_come_back_as_the_resolver_has_them(resolve: Resolve) -> None:
    resolve("93.184.215.14", "2606:2800:21f::1", "93.184.215.14")
    assert public_addresses("example.org", 443) == ("93.184.215.14", "2606:2800:21f::1")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
    ],
)  # fmt: skip
def test_what_only_the_service_can_reach_is_refused(resolve: Resolve, address: str) -> None:
    resolve(address)
    with pytest.raises(AddressRefused, match="not a public address"):
        public_addresses("innocent.example", 443)


def test_one_private_address_among_public_ones_is_enough(resolve: Resolve) -> None:
    resolve("93.184.215.14", "10.0.0.1")
    with pytest.raises(AddressRefused, match=r"'innocent\.example' leads to 10\.0\.0\.1"):
        public_addresses("innocent.example", 443)


def test_an_operators_network_may_be_reached_and_its_neighbours_not(resolve: Resolve) -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fc00:1::/32"))
    resolve("10.1.2.3", "fc00:1::5", "::ffff:10.1.2.3")
    assert len(public_addresses("inside", 80, allowed)) == 3
    resolve("10.2.0.1")
    with pytest.raises(AddressRefused):
        public_addresses("inside", 80, allowed)

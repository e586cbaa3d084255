"""Where the service may send a request of its own accord: to public addresses, and to networks the operator names.

A user chooses the address of a webhook, and could choose one that only the service can reach: the cloud's metadata,
the database's port, a neighbour. So a name is resolved here, every address it has is looked at, and who connects must
connect to one of those returned: a name that is resolved a second time may answer differently (DNS rebinding).
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from store.errors import AddressRefused

Network = IPv4Network | IPv6Network

# IPv6 addresses of translators: the IPv4 address in their last 32 bits is the one that is reached.
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def public_addresses(host: str, port: int, allowed: Sequence[Network] = ()) -> tuple[str, ...]:
    """The addresses to connect to, in the resolver's order. Raises AddressRefused when even one of them is private.

    allowed: private networks that may be reached all the same.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        hint = "Look for a typing error; the name must be known to the service's own DNS."
        raise AddressRefused(f"the name {host!a} is not known", hint=hint) from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not _may_be_reached(ip_address(address.partition("%")[0]), allowed):
            hint = "The service calls public addresses only; its operator may allow more in FGFI_CALLED_NETWORKS."
            raise AddressRefused(f"{host!a} leads to {address}, which is not a public address", hint=hint)
    return addresses


def _may_be_reached(address: IPv4Address | IPv6Address, allowed: Sequence[Network]) -> bool:
    if any(address in network for network in allowed if network.version == address.version):
        return True
    within = _embedded(address)
    if within is not None:
        return _may_be_reached(within, allowed)
    return address.is_global and not address.is_multicast


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, Teredo or NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)

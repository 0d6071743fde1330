"""The address guard: no connection to a private network, unless the destination allows it.

It runs in the socket factory and so checks the address that is really used. It also catches names
that resolve to a private address, DNS rebinding, and literal addresses in the URL.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.connector import AddrInfoType

_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):
    """The destination's address is private, loopback, link-local, multicast or reserved."""


def is_public(address: str) -> bool:
    """Return whether an address is public; an IPv4 address inside an IPv6 address is unpacked."""
    found = _embedded(ip_address(address.partition("%")[0]))
    return found.is_global and not found.is_multicast and not found.is_reserved


def guarded_socket(addr_info: AddrInfoType) -> socket.socket:
    """Make a socket for a public address; raises AddressRefused for any other address."""
    family, kind, protocol, _, address = addr_info
    if not is_public(str(address[0])):
        raise AddressRefused(
            f"{address[0]} 是内网地址；确要访问，在该对象的 settings 里写 allow_private: true"
        )
    return socket.socket(family, kind, protocol)


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address

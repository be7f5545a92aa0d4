"""Which IP addresses a remote may have: public ones, of other machines."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IpAddress = IPv4Address | IPv6Address

# IANA's IPv4 Special-Purpose Address Registry, what is not globally reachable (RFC 6890, RFC 8190);
# `ipaddress` of Python 3.11 lacks some of it. AS112 and AMT, which are, serve no repositories, and
# stay allowed. Then: multicast, the relays of 6to4, and Azure's metadata service. Those services
# of clouds return secrets of the machine; Oracle's is in 192.0.0.0/24.
_NOT_PUBLIC_IPV4 = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16"),
            *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
            *("224.0.0.0/4", "192.88.99.0/24", "168.63.129.16/32"),
        ),
    )
)
# All that IANA has assigned as global unicast. Outside are mapped and translated addresses (NAT64),
# SRv6, local and link-local addresses, and multicast.
_PUBLIC_IPV6 = ip_network("2000::/3")
# IANA's IPv6 Special-Purpose Address Registry, what of it is inside: protocol assignments (Teredo,
# ORCHID, benchmarking and others), documentation (RFC 3849, RFC 9637), 6to4, which leads to any
# IPv4 address, and the former 6bone.
_NOT_PUBLIC_IPV6 = tuple(
    map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20"))
)
# Addresses for documentation, which no machine has.
_NOWHERE = {4: ip_address("192.0.2.254"), 6: ip_address("2001:db8:ffff::fffe")}


def is_public(address: IpAddress) -> bool:
    """Return whether an address is on the internet, and cannot lead elsewhere."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_IPV4)
    return address in _PUBLIC_IPV6 and not any(address in each for each in _NOT_PUBLIC_IPV6)


def is_own(address: IpAddress) -> bool:
    """Return whether an address is one of this machine, at this moment.

    A socket can be bound to such addresses only. Where the kernel lets it bind to any address
    (`net.ipv4.ip_nonlocal_bind`), the address from which this machine would send decides.
    """
    if not _can_bind(address):
        return False
    return not _can_bind(_NOWHERE[address.version]) or _sender_to(address) == address


def _can_bind(address: IpAddress) -> bool:
    try:
        with _socket(address) as unused:
            unused.bind((str(address), 0))
    except OSError:  # also a machine without IPv6
        return False
    return True


def _sender_to(address: IpAddress) -> IpAddress | None:
    try:
        with _socket(address) as unused:
            unused.connect((str(address), 9))  # UDP: nothing is sent
            return ip_address(unused.getsockname()[0])
    except OSError:
        return None


def _socket(address: IpAddress) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return socket.socket(family, socket.SOCK_DGRAM)

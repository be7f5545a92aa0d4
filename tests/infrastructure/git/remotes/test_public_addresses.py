"""Which addresses are public, and which are those of this machine."""

import socket
from ipaddress import ip_address

import pytest

from symphony.infrastructure.git.remotes.public_addresses import is_own, is_public

NOT_PUBLIC = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1",  # noqa: S104 - contacted, not listened on
    "192.168.1.1", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "192.0.0.192",
    "168.63.129.16", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "192.0.0.8", "192.0.0.9", "192.0.0.170", "169.254.169.123", "198.19.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1",
    "2002:808:808::1", "2001:2::1", "2001:4:112::1", "2001:20::1", "2001:1ff:ffff::1", "3ffe::1",
    "3fff::1", "3fff:fff:ffff::1", "4000::1", "5f00::1", "100:0:0:1::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
)  # fmt: skip
PUBLIC = (
    "8.8.8.8", "140.82.121.4", "1.1.1.1", "192.0.1.1", "192.88.98.1", "223.255.255.255",
    "2606:4700::1111", "2a00:1450:4001::200e", "2001:200::1", "3fff:1000::1",
)  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_recognized(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_recognized(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1"])
def test_an_address_of_this_machine_is_recognized_when_it_is_used(address: str) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as listening:
            listening.bind((address, 0))
    except OSError:
        pytest.skip("this machine does not have the address")
    assert is_own(ip_address(address))


@pytest.mark.parametrize("address", [*PUBLIC, "192.0.2.1", "2001:db8::1"])
def test_an_address_of_another_machine_is_not_taken_for_its_own(address: str) -> None:
    assert not is_own(ip_address(address))


@pytest.mark.parametrize(("address", "own"), [("127.0.0.1", True), ("8.8.8.8", False)])
def test_where_sockets_may_have_any_address_the_route_to_it_decides(
    address: str, monkeypatch: pytest.MonkeyPatch, *, own: bool
) -> None:
    """As with the kernel's setting `net.ipv4.ip_nonlocal_bind`."""

    def bind(_self: socket.socket, _address: object) -> None:
        pass

    monkeypatch.setattr(socket.socket, "bind", bind)
    assert is_own(ip_address(address)) is own

"""The address of a client, directly or through proxies."""

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from symphony.api.client_address import UNKNOWN, client_address
from symphony.config.settings import Settings


def seen(peer: str | None, *forwarded: str, trusted: str = "") -> str:
    """The address of a request from a peer, with a header line for each of `forwarded`."""
    settings = Settings.model_validate({"trusted_proxies": trusted})
    scope = {
        "type": "http",
        "client": peer if peer is None else (peer, 50_000),
        "headers": [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded],
        "app": SimpleNamespace(state=SimpleNamespace(trusted_proxies=settings.trusted_proxies)),
    }
    return client_address(Request(scope))


def test_without_trusted_proxies_the_peer_counts() -> None:
    for forwarded in ((), ("192.0.2.1",), ("127.0.0.1, 127.0.0.1",)):
        assert seen("127.0.0.1", *forwarded) == "127.0.0.1"
    assert seen("198.51.100.7", "192.0.2.1", trusted="127.0.0.1,10.0.0.0/8") == "198.51.100.7"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["203.0.113.9, 192.0.2.1"], "192.0.2.1"),  # the first one is invented
        (["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, 10.1.2.3"], "192.0.2.1"),
        (["192.0.2.1, 10.1.2.3", "127.0.0.1"], "192.0.2.1"),
        (["192.0.2.1,10.1.2.3 , \t127.0.0.1"], "192.0.2.1"),
        (["10.9.9.9, 10.1.2.3"], "10.9.9.9"),  # nobody else is known
        (["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1:50000"], "192.0.2.1"),
        (["[2001:db8::7]:50000"], "2001:db8::/64"),
        (["[2001:db8::7]"], "2001:db8::/64"),
        (["2001:db8::7"], "2001:db8::/64"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, ::ffff:10.1.2.3"], "192.0.2.1"),
        (["192.0.2.1, fd00::1"], "192.0.2.1"),
    ],
)
def test_the_last_address_that_is_not_trusted_is_the_client(
    forwarded: list[str], expected: str
) -> None:
    assert seen("127.0.0.1", *forwarded, trusted="127.0.0.1,10.0.0.0/8,fd00::/8") == expected


@pytest.mark.parametrize(
    "malformed",
    [
        *(
            "",
            " ",
            ",",
            "unknown",
            "-",
            "evil",
            "192.0.2",
            "192.0.2.256",
            "192.0.2.01",
            "1",
            "0x7f.1",
        ),
        *("[192.0.2.1", "[]:80", "2001:db8::7:50000:1:2:3:4:5", "192.0.2.1/24", "for=192.0.2.1"),
        *("\xff", "١٩٢.0.2.1".encode().decode("latin-1"), "x" * 60_000, "0x7f.1"),
    ],
)
def test_what_a_proxy_did_not_write_correctly_counts_as_that_proxy(malformed: str) -> None:
    assert seen("127.0.0.1", malformed, trusted="127.0.0.1,10.0.0.0/8") == "127.0.0.1"
    after = f"192.0.2.1, {malformed}, 10.1.2.3"
    assert seen("127.0.0.1", after, trusted="127.0.0.1,10.0.0.0/8") == "10.1.2.3"


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("64:ff9b::c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        (None, UNKNOWN),
        ("", UNKNOWN),
        ("/run/symphony.sock", UNKNOWN),
    ],
)
def test_one_client_is_an_ipv4_address_or_an_ipv6_network(peer: str | None, client: str) -> None:
    assert seen(peer) == client
    assert seen(peer, "192.0.2.9", trusted="198.51.100.1") == client


@pytest.mark.parametrize("trusted", ["::ffff:127.0.0.1", "::ffff:127.0.0.0/104", "0.0.0.0/0"])
def test_an_ipv4_proxy_can_be_written_in_each_form(trusted: str) -> None:
    for peer in ("127.0.0.1", "::ffff:127.0.0.1"):
        assert seen(peer, "2001:db8::7", trusted=trusted) == "2001:db8::/64"


def test_without_a_peer_the_header_counts_for_nothing() -> None:
    assert seen(None, "192.0.2.1", trusted="0.0.0.0/0,::/0") == UNKNOWN

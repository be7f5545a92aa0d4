"""Proxies of the environment: selected as curl does, with credentials that are never shown."""

import base64
import json
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest

from symphony.client.connection import Connection
from symphony.client.errors import UnexpectedAnswer, Unreachable, WrongArgument
from symphony.client.proxies import proxy_for
from tests.cli.conftest import refusal
from tests.client.conftest import Client
from tests.client.connect_proxy import connect_proxy
from tests.client.raw_server import http_answer, raw_server
from tests.client.test_board import answer, signed_in_at
from tests.infrastructure.database.postgresql.certificates import Certificate, create_certificate

HOST = "symphony.example.org"
SECRET = "p:ss w/rd%"
CREDENTIALS = "grace:p%3Ass%20w%2Frd%25"
AUTHORIZATION = "Basic " + base64.b64encode(f"grace:{SECRET}".encode()).decode()
URL = f"https://{HOST}:8443"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of HOST."""
    return create_certificate(tmp_path_factory.mktemp("certificates"), "server", HOST)


@pytest.fixture
def tls(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server with the certificate needs; clients trust it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context


def selected(url: str, **environment: str) -> str | None:
    """The host and port of the proxy for an address."""
    proxy = proxy_for(urlsplit(url), environment)
    return None if proxy is None else f"{proxy.host}:{proxy.port}"


@pytest.mark.parametrize(
    ("environment", "https", "http"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": "http://a:1"}, "a:1", None),
        ({"HTTP_PROXY": "http://a:1"}, None, "a:1"),
        ({"http_proxy": "a:1", "HTTP_PROXY": "b:2"}, None, "a:1"),
        ({"https_proxy": "", "HTTPS_PROXY": "b:2"}, "b:2", None),
        ({"ALL_PROXY": "http://a:1/"}, "a:1", "a:1"),
        ({"all_proxy": "a", "HTTPS_PROXY": "b:2"}, "b:2", "a:1080"),
        ({"HTTPS_PROXY": "http://[::1]:3128"}, "::1:3128", None),
        ({"HTTPS_PROXY": "b:2", "NO_PROXY": "other, example.org"}, None, None),
    ],
)
def test_the_variable_of_the_scheme_names_the_proxy(
    environment: Mapping[str, str], https: str | None, http: str | None
) -> None:
    assert selected("https://symphony.example.org", **environment) == https
    assert selected("http://symphony.example.org/a", **environment) == http


@pytest.mark.parametrize(
    ("host", "no_proxy", "is_direct"),
    [
        ("a.example.org", "example.org", True),
        ("a.example.org", ".example.org", True),
        ("A.EXAMPLE.ORG", "a.Example.org.", True),
        ("a.example.org.", "a.example.org", True),
        ("example.org", ".example.org", True),
        ("badexample.org", "example.org", False),
        ("example.org", "a.example.org", False),
        ("example.org", "x  example.org\ty", True),
        ("example.org", "*", True),
        ("example.org", "x,*", True),
        ("example.org", "org.", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.0/24", True),
        ("192.0.3.7", "192.0.2.0/24", False),
        ("192.0.2.7", "2.7", False),
        ("[2001:db8::1]", "2001:db8::/32", True),
        ("[2001:db8::1]", "[2001:db8::1]", True),
        ("[2001:db9::1]", "2001:db8::/32", False),
        ("example.org", "", False),
        ("example.org", ",, ,", False),
    ],
)
def test_no_proxy_names_hosts_domains_and_networks(
    host: str,
    no_proxy: str,
    is_direct: bool,  # noqa: FBT001
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        found = selected(f"https://{host}", HTTPS_PROXY="http://a:1", **{name: no_proxy})
        assert (found is None) == is_direct


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]", "a.localhost"])
def test_this_machine_is_reached_directly(host: str) -> None:
    assert selected(f"http://{host}", HTTP_PROXY="http://a:1") is None


@pytest.mark.parametrize(
    "given",
    [
        f"http://{CREDENTIALS}@",
        "http://a:port",
        "http://ä:1",
        "http://a b",
        "http://[",
        "http://a\x1b:1",
        "http://a..b:1",
    ],
)
def test_what_is_not_an_address_of_a_proxy_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(WrongArgument) as raised:
        selected("https://example.org", HTTPS_PROXY=given)
    assert str(raised.value).startswith("HTTPS_PROXY is not the address of a proxy.")
    assert given not in str(raised.value)


@pytest.mark.parametrize("scheme", ["socks5", "https", "ftp"])
def test_another_kind_of_proxy_is_refused_and_not_passed_by(scheme: str) -> None:
    with pytest.raises(WrongArgument, match="ALL_PROXY: must name an HTTP proxy") as raised:
        selected("https://example.org", ALL_PROXY=f"{scheme}://{CREDENTIALS}@proxy:1")
    assert "grace" not in str(raised.value)


def test_https_goes_through_a_tunnel_with_the_credentials_of_the_proxy(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        raw_server(http_answer(b'{"a": 1}'), closes=False, tls=tls) as server,
        connect_proxy(server.port, AUTHORIZATION) as proxy,
    ):
        monkeypatch.setenv("https_proxy", f"http://{CREDENTIALS}@{proxy.address}")
        with Connection(URL, "sym_x") as opened:
            assert [opened.request("GET", "/machines") for _ in range(2)] == [{"a": 1}] * 2
    [head] = proxy.heads
    assert head.startswith(f"CONNECT {HOST}:8443 HTTP/1.1\r\nHost: {HOST}:8443\r\n")
    assert "sym_x" not in head
    assert len(server.heads) == 2
    for each in server.heads:
        assert each.startswith(b"GET /api/v1/machines HTTP/1.1\r\n")
        assert f"Host: {HOST}:8443\r\n".encode() in each
        assert b"Authorization: Bearer sym_x\r\n" in each
        assert b"Proxy-Authorization" not in each


def test_the_certificate_of_the_server_counts_behind_a_proxy(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        raw_server(http_answer(b"{}"), tls=tls) as server,
        connect_proxy(server.port) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy.address)
        with pytest.raises(Unreachable, match="its certificate is not valid: Hostname mismatch"):
            Connection("https://other.example.org", "sym_x").request("GET", "/machines")
    assert server.heads == []


def test_http_is_requested_from_the_proxy_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(http_answer(b"{}")) as proxy:
        place = proxy.url.removeprefix("http://")
        monkeypatch.setenv("http_proxy", f"{CREDENTIALS}@{place}")
        with Connection(f"http://{HOST}:8000/sym", "sym_x") as opened:
            opened.request("POST", "/machines", json={}, query={"a": "b"})
    [head] = proxy.heads
    target = f"POST http://{HOST}:8000/sym/api/v1/machines?a=b HTTP/1.1\r\n"
    assert head.startswith(f"{target}Host: {HOST}:8000\r\n".encode())
    assert f"Proxy-Authorization: {AUTHORIZATION}\r\n".encode() in head


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"HTTP/1.1 407 \x1b[2J\r\n\r\n", "it requires another user name and password"),
        (b"HTTP/1.0 403 Nope\r\nA: b\r\n\r\nx", "it answered 403 (Forbidden)"),
        (b"HTTP/1.1 599\r\n\r\n", "it answered 599"),
        (b"SSH-2.0\r\n\r\n", "what it answers is not that of an HTTP proxy"),
        (
            b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000,
            "what it answers is not that of an HTTP proxy",
        ),
        (b"", "it closed the connection before it had answered"),
    ],
)
def test_a_proxy_that_does_not_connect_is_the_reason(
    sent: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(sent) as proxy:
        place = proxy.url.removeprefix("http://")
        monkeypatch.setenv("HTTPS_PROXY", f"http://{CREDENTIALS}@{place}")
        with pytest.raises(Unreachable) as raised:
            Connection(URL, within=5).request("GET", "/")
    assert (
        str(raised.value) == f"Cannot reach {URL} through the proxy {place} (HTTPS_PROXY): {why}."
    )


def test_a_proxy_that_is_not_there_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=r"\(HTTPS_PROXY\): no proxy listens there\.$"):
        Connection(URL).request("GET", "/")
    monkeypatch.setenv("HTTPS_PROXY", "proxy.invalid:3128")
    with pytest.raises(Unreachable, match="its name is unknown, or there is no network"):
        Connection(URL).request("GET", "/")


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_slow_proxy_is_given_up_after_the_time_limit(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = monotonic()
    with raw_server(b"HTTP/1.1 200 OK\r\n" * 1000, drip=0.02) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url)
        with pytest.raises(Unreachable, match=r"it did not answer within 0\.3 seconds"):
            Connection(f"{scheme}://{HOST}", within=0.3).request("GET", "/")
    assert monotonic() - began < 5


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        ("407 No", Unreachable, "it requires another user name and password"),
        ("502 No", UnexpectedAnswer, "it has the status 502 and the type text/html"),
    ],
)
def test_a_page_of_a_proxy_is_known_as_its_own(
    status: str, error: type[Exception], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(http_answer(b"<p>", status, "text/html")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with Connection(f"http://{HOST}") as opened, pytest.raises(error) as raised:
            opened.request("GET", "/")
    assert "through the proxy 127.0.0.1:" in str(raised.value)
    assert str(raised.value).endswith(f": {why}.")


@pytest.mark.long
def test_commands_use_a_proxy_and_show_no_credentials(
    tls: ssl.SSLContext, certificate: Certificate, symphony: Client, home: Path
) -> None:
    assert home.is_dir()
    trust = {"SSL_CERT_FILE": str(certificate.certificate)}
    with (
        raw_server(answer(), tls=tls) as server,
        connect_proxy(server.port, AUTHORIZATION) as proxy,
    ):
        signed_in_at(server, symphony.environment)
        stored = home / ".config" / "symphony" / "credentials.json"
        stored.write_text(json.dumps(json.loads(stored.read_text()) | {"url": URL}))
        url = f"http://{CREDENTIALS}@{proxy.address}"
        found = symphony.program("board", HTTPS_PROXY=url, **trust)
        assert (found.status, found.errors) == (0, "")
        refused = symphony.program(
            "board", HTTPS_PROXY=f"http://grace:wrong@{proxy.address}", **trust
        )
        wrong = symphony.program("board", HTTPS_PROXY=f"socks5://{CREDENTIALS}@{proxy.address}")
    assert refused.status == 4
    assert "it requires another user name and password" in refusal(refused)
    assert wrong.status == 2
    for each in (refused, wrong):
        assert not any(part in refusal(each) for part in ("grace", "wrong", "p%3A", SECRET))

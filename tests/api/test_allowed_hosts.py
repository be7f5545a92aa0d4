"""The service answers for addresses, `localhost` and the names that the operator allows."""

import httpx
import pytest

from symphony.config.settings import Settings
from tests.support.api import API, code, running_api

ONE_STORE = pytest.mark.parametrize("store_kind", ["sqlite-memory"])  # no store is used
ALWAYS = (
    "127.0.0.1",
    "127.0.0.1:8000",
    "127.0.0.1:",
    "10.1.2.3:80",
    "192.0.2.7",
    "[::1]",
    "[::1]:8000",
    "[2001:db8::7]:443",
    "[::ffff:127.0.0.1]",
    "localhost",
    "localhost:8000",
    "LOCALHOST",
    "localhost.",
    " 127.0.0.1 ",
)
NEVER = (
    "evil.test",
    "evil.test:8000",
    "localhost.evil.test",
    "127.0.0.1.evil.test",
    "evil-localhost",
    "symphony.example.org",
    "user@127.0.0.1",
    "127.0.0.1@evil.test",
    "127.0.0.1:80@evil.test",
    "127.0.0.1, evil.test",
    "127.0.0.1/evil.test",
    "127.0.0.1:8000:8000",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "127.0.0.01",
    "::1",
    "[::1",
    "[evil.test]",
    "[v1.x]",
    "%6cocalhost",
    "loc\u00e4lhost",
    ":8000",
    ".",
    "",
    "localhost..",
    "x" * 60_000,
)


async def status(client: httpx.AsyncClient, host: str, path: str = "/health/live") -> int:
    return (await client.get(path, headers={"Host": host.encode("latin-1")})).status_code  # pyright: ignore[reportArgumentType] - bytes are allowed


@ONE_STORE
async def test_addresses_and_localhost_are_always_accepted(client: httpx.AsyncClient) -> None:
    for host in ALWAYS:
        assert await status(client, host) == 200, host


@ONE_STORE
async def test_any_other_host_is_refused_everywhere(client: httpx.AsyncClient) -> None:
    for host in NEVER:
        assert await status(client, host) == 421, host[:80]
    for method, path in (
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/docs/assets/docs.js"),
        ("GET", "/metrics"),
        ("GET", "/health/ready"),
        ("GET", "/problems/misdirected-request"),
        ("GET", "/nothing"),
        ("PUT", "/"),
        ("OPTIONS", "/"),
        ("POST", f"{API}/user-profiles"),
        ("POST", f"{API}/auth/token"),
        ("GET", f"{API}/openapi.json"),
        ("GET", f"{API}/user-profiles/me"),
    ):
        answer = await client.request(method, path, headers={"Host": "evil.test"})
        assert code(answer) == "421 misdirected-request", path
        assert "evil" not in answer.text + str(answer.headers)
        assert "SYMPHONY_ALLOWED_HOSTS" in answer.json()["detail"]
    assert (await client.head("/", headers={"Host": "evil.test"})).status_code == 421


@ONE_STORE
async def test_a_forwarded_host_makes_no_difference(client: httpx.AsyncClient) -> None:
    for name in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"):
        refused = await client.get("/", headers={"Host": "evil.test", name: "localhost"})
        assert refused.status_code == 421
        accepted = await client.get("/", headers={name: "evil.test"})
        assert accepted.status_code == 200
        assert "evil" not in accepted.text


@ONE_STORE
async def test_a_preflight_for_another_host_is_refused(settings: Settings) -> None:
    origin = "https://app.example.org"
    preflight = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    async with running_api(settings.model_copy(update={"cors_origins": (origin,)})) as client:
        answer = await client.options(f"{API}/user-profiles/me", headers=preflight)
        assert answer.status_code == 200
        other = preflight | {"Host": "evil.test"}
        answer = await client.options(f"{API}/user-profiles/me", headers=other)
        assert code(answer) == "421 misdirected-request"


@ONE_STORE
@pytest.mark.parametrize(
    ("allowed", "accepted", "refused"),
    [
        (
            "symphony.example.org, SYMPHONY_api.Default.svc.",
            ("symphony.example.org", "Symphony.Example.ORG.:443", "symphony_api.default.svc"),
            ("example.org", "a.symphony.example.org", "xsymphony.example.org"),
        ),
        (
            "*.example.org",
            ("a.example.org", "a.b.example.org:1", "A.EXAMPLE.ORG"),
            ("example.org", ".example.org", "aexample.org", "a.example.org.evil.test", "a.org"),
        ),
        ("xn--bcher-kva.example", ("xn--bcher-kva.example",), ("b\u00fccher.example",)),
        ("10.0.0.1,[::1],::1", ("10.0.0.1", "10.0.0.2", "[::1]"), ("evil.test",)),
        ("*", ("evil.test", "", "a b"), ()),
        ("", (), ("symphony.example.org",)),
    ],
)
async def test_the_setting_adds_names(
    settings: Settings, allowed: str, accepted: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    values = {**settings.model_dump(), "allowed_hosts": allowed}
    async with running_api(Settings.model_validate(values)) as client:
        for host in (*accepted, "localhost", "127.0.0.1"):
            assert await status(client, host) == 200, host
        for host in refused:
            assert await status(client, host) == 421, host


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("symphony.example.org", ("symphony.example.org",)),
        ("Symphony.", ("symphony",)),
        ("0.0.0.0", ("0.0.0.0",)),  # noqa: S104 - an address, which is accepted anyway
        ("*", ()),
    ],
)
def test_without_the_setting_the_name_to_listen_on_is_accepted(
    host: str, names: tuple[str, ...]
) -> None:
    settings = Settings.model_validate({"host": host})
    assert settings.served_hosts == names
    named = settings.model_copy(update={"allowed_hosts": ("other",)})
    assert named.served_hosts == ("other",)

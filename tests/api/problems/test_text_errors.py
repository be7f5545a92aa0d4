"""What Starlette refuses with a text is a problem: ranges of files, and preflights."""

import httpx
import pytest

from symphony.config.settings import Settings
from tests.support.api import API, code, running_api

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-memory"])  # no store is used
FILE = "/docs/assets/docs.js"
ORIGIN = "https://app.example.org"


async def test_a_range_outside_the_file_is_a_problem(client: httpx.AsyncClient) -> None:
    size = len((await client.get(FILE)).content)
    for given in (f"bytes={size}-", "bytes=99999999-", "BYTES=99999999-100000000"):
        answer = await client.get(FILE, headers={"Range": given})
        assert code(answer) == "416 range-not-satisfiable"
        assert answer.headers["content-range"] == f"bytes */{size}"
        head = await client.head(FILE, headers={"Range": given})
        # Only a GET has ranges (RFC 9110, section 14.2).
        assert (head.status_code, head.content) == (200, b"")


async def test_a_malformed_range_is_a_problem(client: httpx.AsyncClient) -> None:
    for given in ("bytes=", "bytes=a-b", "bytes=5-2", "bytes=,", "bytes=-"):
        answer = await client.get(FILE, headers={"Range": given})
        assert code(answer) == "400 malformed-request"
        assert answer.json()["detail"].startswith("`Range` must be")


async def test_a_range_in_other_units_is_ignored(client: httpx.AsyncClient) -> None:
    whole = await client.get(FILE)
    for given in ("items=0-5", "bytes", "", "lines=99999999-"):
        answer = await client.get(FILE, headers={"Range": given})
        assert (answer.status_code, answer.content) == (200, whole.content)


async def test_a_valid_range_is_answered_with_a_part(client: httpx.AsyncClient) -> None:
    whole = (await client.get(FILE)).content
    answer = await client.get(FILE, headers={"Range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, whole[2:6])
    assert answer.headers["content-range"] == f"bytes 2-5/{len(whole)}"


async def test_a_refused_preflight_is_a_problem(settings: Settings) -> None:
    allowed = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    async with running_api(settings.model_copy(update={"cors_origins": (ORIGIN,)})) as client:
        for wrong in (
            {"Origin": "https://evil.example.org"},
            {"Access-Control-Request-Method": "TRACE"},
            {"Access-Control-Request-Headers": "X-Forged"},
        ):
            answer = await client.options(f"{API}/user-profiles/me", headers=allowed | wrong)
            assert code(answer) == "400 origin-not-allowed"
            assert "Origin" in answer.headers["vary"]
            assert "evil" not in answer.text + str(answer.headers)
            page = await client.get(answer.json()["type"])
            assert page.status_code == 200
        answer = await client.options(f"{API}/user-profiles/me", headers=allowed)
        assert answer.status_code == 200


async def test_the_other_errors_of_files_and_pages_are_problems(client: httpx.AsyncClient) -> None:
    for method, path, expected in (
        ("GET", "/docs/assets/nothing.js", "404 route-not-found"),
        ("GET", "/docs/assets", "404 route-not-found"),
        ("GET", "/docs/assets/", "404 route-not-found"),
        ("POST", FILE, "405 method-not-allowed"),
        ("POST", "/docs", "405 method-not-allowed"),
        ("TRACE", "/metrics", "405 method-not-allowed"),
    ):
        assert code(await client.request(method, path)) == expected, path

"""The files of the application in the browser, as they are served."""

import re
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from symphony.config.settings import Settings
from tests.support.api import code, running_api, sign_up
from tests.support.checkout import TOP

# The files do not use the store.
pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-memory"])
WEB = TOP / "src" / "symphony" / "web"
BROWSER = {"Accept": "text/html"}
FOREVER = "public, max-age=31536000, immutable"
MOST_COMPRESSED = 80 * 1024  # bytes, all files together


async def _shell(client: httpx.AsyncClient) -> str:
    answer = await client.get("/", headers=BROWSER)
    assert answer.status_code == 200
    return answer.text


async def _files(client: httpx.AsyncClient) -> Sequence[str]:
    """The addresses of all styles and scripts; the shell names each of them."""
    return sorted(set(re.findall(r'(?:src|href)="(/web/[^"]*)"', await _shell(client))))


async def test_the_shell_names_every_style_and_script(client: httpx.AsyncClient) -> None:
    own = [file.relative_to(WEB).as_posix() for file in WEB.rglob("*.*")]
    named = [address.split("/", 3)[3] for address in await _files(client)]
    assert named == sorted(name for name in own if name != "index.html")
    assert len(named) > 20


async def test_browsers_keep_the_files_of_a_version_and_revalidate_those_of_another(
    client: httpx.AsyncClient,
) -> None:
    types = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
    for address in await _files(client):
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.content == (WEB / address.split("/", 3)[3]).read_bytes()
        assert answer.headers["content-type"] == types[Path(address).suffix]
        assert answer.headers["cache-control"] == FOREVER
        assert answer.headers["x-content-type-options"] == "nosniff"
        known = {"If-None-Match": answer.headers["etag"]}
        assert (await client.get(address, headers=known)).status_code == 304
        of_another = address.replace(address.split("/")[2], "0123456789abcdef")
        answer = await client.get(of_another)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-cache"


async def test_other_paths_are_not_found(client: httpx.AsyncClient) -> None:
    release = (await _files(client))[0].split("/")[2]
    for path in ("", "/", f"/{release}", f"/{release}/", f"/{release}/scripts", f"/{release}/x.js"):
        assert code(await client.get(f"/web{path}")).startswith("404"), path
    for path in (
        f"/web/{release}/../main.py",
        f"/web/{release}/%2e%2e/main.py",
        "/web/..%2fmain.py",
    ):
        assert code(await client.get(path)).startswith("404"), path


async def test_the_page_is_small(client: httpx.AsyncClient) -> None:
    total = 0
    for address in ["/", *await _files(client)]:
        answer = await client.get(address, headers=BROWSER | {"Accept-Encoding": "gzip"})
        total += int(answer.headers["content-length"])
    assert total < MOST_COMPRESSED


async def test_the_policy_allows_nothing_but_the_files_of_the_page(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/", headers=BROWSER)
    parts = answer.headers["content-security-policy"].split("; ")
    policy = {name: value for name, _, value in (part.partition(" ") for part in parts)}
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "img-src")} == {
        "'self'"
    }
    for name in ("form-action", "frame-ancestors", "base-uri", "trusted-types"):
        assert policy[name] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("setting", "before", "after"),
    [("open", "open", "open"), ("first", "open", "closed"), ("closed", "closed", "closed")],
)
async def test_programs_learn_whether_sign_ups_are_accepted(
    settings: Settings, setting: str, before: str, after: str
) -> None:
    async with running_api(settings.model_copy(update={"registration": setting})) as client:
        assert (await client.get("/")).json()["registration"] == before
        if before == "open":
            await sign_up(client, "ada")
        assert (await client.get("/")).json()["registration"] == after

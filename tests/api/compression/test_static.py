"""The OpenAPI document and the files of the pages, which are compressed once."""

import asyncio
from typing import Any

import httpx
import pytest

from symphony.api import content_codings
from tests.api.compression.decoding import DECODERS, IDENTITY, decoded, raw
from tests.support.api import API, faults

# These contents do not use the store.
pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-memory"])
DOCUMENT = f"{API}/openapi.json"
BUNDLE = "/docs/assets/swagger-ui-bundle.js"
STYLES = "/docs/assets/swagger-ui.css"
PATHS = (DOCUMENT, STYLES)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coding", DECODERS)
async def test_a_coded_form_has_its_own_etag_and_the_same_content(
    client: httpx.AsyncClient, path: str, coding: str
) -> None:
    plain, content = await raw(client, "GET", path, IDENTITY)
    answer, sent = await raw(client, "GET", path, {"Accept-Encoding": coding})
    assert "content-encoding" not in plain.headers
    assert answer.headers["content-encoding"] == coding
    assert decoded(answer, sent) == decoded(plain, content)
    assert len(sent) < len(content) / 3
    assert answer.headers["etag"] == plain.headers["etag"][:-1] + f'-{coding}"'
    assert answer.headers["content-type"] == plain.headers["content-type"]
    for each in (plain, answer):
        assert each.headers["vary"] == "Accept-Encoding"
        assert each.headers["cache-control"] == "private, no-cache"
    head, nothing = await raw(client, "HEAD", path, {"Accept-Encoding": coding})
    assert nothing == b""
    volatile = {"x-request-id"}
    assert {name: head.headers[name] for name in set(head.headers) - volatile} == {
        name: answer.headers[name] for name in set(answer.headers) - volatile
    }


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
async def test_the_etag_of_any_form_is_known_to_if_none_match(
    client: httpx.AsyncClient, path: str
) -> None:
    for coding in ("identity", *DECODERS):
        headers = {"Accept-Encoding": coding}
        etag = (await raw(client, "GET", path, headers))[0].headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            answer, nothing = await raw(client, "GET", path, headers | {"If-None-Match": known})
            assert (answer.status_code, nothing) == (304, b""), known
            assert answer.headers["vary"] == "Accept-Encoding"
            assert not any(name.startswith("content-e") for name in answer.headers)
            if known != "*":
                assert answer.headers["etag"] == etag
        for other in (f'"x{etag[1:]}', '"-gzip"'):
            answer, _ = await raw(client, "GET", path, headers | {"If-None-Match": other})
            assert answer.status_code == 200, other
    refused = await client.get(path, headers={"If-None-Match": "abc"})
    assert faults(refused) == [("If-None-Match", "not-an-etag")]


@pytest.mark.long
async def test_a_file_has_an_etag_of_its_content(client: httpx.AsyncClient) -> None:
    """The time and size of a file may be the same in the next version of a package."""
    etags = {
        path: (await client.get(path, headers=IDENTITY)).headers["etag"]
        for path in (BUNDLE, STYLES, "/docs/assets/docs.js", "/docs/assets/icon.svg")
    }
    assert len(set(etags.values())) == len(etags)
    answer = await client.get(BUNDLE, headers=IDENTITY)
    later = {"If-Modified-Since": answer.headers["last-modified"]}
    assert (await client.get(BUNDLE, headers=later)).status_code == 304
    mismatch = later | {"If-None-Match": '"other"'}
    assert (await client.get(BUNDLE, headers=mismatch)).status_code == 200


async def test_a_small_file_is_not_compressed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs/assets/icon.svg")
    assert len(answer.content) <= 1024
    assert "content-encoding" not in answer.headers


async def test_a_compressed_image_is_not_compressed_again(client: httpx.AsyncClient) -> None:
    image = "/docs/assets/favicon.png"
    answer, content = await raw(client, "GET", image, {"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert len(content) > 1024
    assert "content-encoding" not in answer.headers
    assert content.startswith(b"\x89PNG")


@pytest.mark.long
async def test_a_range_is_one_of_the_content_without_a_coding(client: httpx.AsyncClient) -> None:
    plain, content = await raw(client, "GET", BUNDLE, IDENTITY)
    coded, _ = await raw(client, "GET", BUNDLE, {"Accept-Encoding": "gzip"})
    part = {"Accept-Encoding": "gzip", "Range": "bytes=100-199"}
    answer, sent = await raw(client, "GET", BUNDLE, part)
    assert answer.status_code == 206
    assert "content-encoding" not in answer.headers
    assert answer.headers["etag"] == plain.headers["etag"]
    assert sent == content[100:200]
    # If-Range compares the ETag of the same form only (RFC 9110, section 13.1.5).
    answer, sent = await raw(client, "GET", BUNDLE, part | {"If-Range": plain.headers["etag"]})
    assert (answer.status_code, sent) == (206, content[100:200])
    answer, sent = await raw(client, "GET", BUNDLE, part | {"If-Range": coded.headers["etag"]})
    assert (answer.status_code, sent) == (200, content)
    assert answer.headers["etag"] == plain.headers["etag"]
    for known in (plain, coded):
        condition = {"If-None-Match": known.headers["etag"]}
        assert (await raw(client, "GET", BUNDLE, part | condition))[0].status_code == 304
    # HEAD has no ranges (RFC 9110, section 14.2).
    head, _ = await raw(client, "HEAD", BUNDLE, part)
    assert head.status_code == 200
    assert head.headers["etag"] == coded.headers["etag"]


@pytest.mark.long
async def test_each_content_is_compressed_once_for_many_clients(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressed: list[int] = []
    compress = content_codings.Coding.compress_well

    def count(coding: Any, content: bytes) -> bytes:
        compressed.append(len(content))
        return compress(coding, content)

    monkeypatch.setattr(content_codings.Coding, "compress_well", count)
    answers = await asyncio.gather(*(client.get(path) for path in PATHS * 5))
    assert {answer.status_code for answer in answers} == {200}
    assert len(compressed) == len(PATHS)

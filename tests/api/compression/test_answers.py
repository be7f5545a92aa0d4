"""Compressed answers of the API, and the conditions in which their ETags are used."""

import json
from typing import Any

import httpx
import pytest

from tests.api.compression.decoding import DECODERS, IDENTITY, decoded, raw
from tests.support.api import API, User, code

LARGE: dict[str, Any] = {"metadata": {f"key {number}": "value" for number in range(100)}}
CODINGS = tuple(DECODERS)


@pytest.fixture
async def repo(ada: User) -> str:
    """The path of a repo whose representation is large."""
    workspace = await ada.workspace()
    return f"{API}/repos/{(await ada.repo(workspace['id'], **LARGE))['id']}"


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_large_answer_is_compressed_when_the_client_accepts_it(
    ada: User, repo: str, coding: str
) -> None:
    plain, content = await raw(ada.client, "GET", repo, ada.headers | IDENTITY)
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"
    assert len(content) > 1024
    compressed, sent = await raw(ada.client, "GET", repo, ada.headers | {"Accept-Encoding": coding})
    assert compressed.headers["content-encoding"] == coding
    assert compressed.headers["vary"] == "Accept-Encoding"
    assert decoded(compressed, sent) == content
    assert len(sent) < len(content) / 3
    assert compressed.headers["etag"] == plain.headers["etag"][:-1] + f'-{coding}"'
    # Everything else is the same.
    differing = {"content-encoding", "content-length", "etag", "x-request-id"}
    assert set(compressed.headers) ^ set(plain.headers) == {"content-encoding"}
    assert all(
        compressed.headers[name] == plain.headers[name] for name in {*plain.headers} - differing
    )


async def test_a_client_that_does_not_ask_gets_no_coding(ada: User, repo: str) -> None:
    del ada.client.headers["accept-encoding"]
    for accepted in (None, "", "br", "gzip;q=0", "gzip;q=0.5, identity"):
        headers = ada.headers | ({} if accepted is None else {"Accept-Encoding": accepted})
        answer, content = await raw(ada.client, "GET", repo, headers)
        assert "content-encoding" not in answer.headers, accepted
        assert answer.headers["vary"] == "Accept-Encoding"
        assert json.loads(content)["metadata"] == LARGE["metadata"]


async def test_an_answer_of_one_kib_is_not_compressed(ada: User) -> None:
    workspace = await ada.workspace(description="")
    path = f"{API}/workspaces/{workspace['id']}"
    _, empty = await raw(ada.client, "GET", path, ada.headers | IDENTITY)
    for size, coding in ((1024, None), (1025, "gzip")):
        change = {"description": "x" * (size - len(empty))}
        assert (await ada.patch(f"/workspaces/{workspace['id']}", change)).status_code == 200
        answer, content = await raw(ada.client, "GET", path, ada.headers)
        assert len(decoded(answer, content)) == size
        assert answer.headers.get("content-encoding") == coding
        assert ("vary" in answer.headers) == (coding is not None)


@pytest.mark.parametrize("coding", CODINGS)
async def test_head_has_the_headers_of_a_compressed_get(ada: User, repo: str, coding: str) -> None:
    headers = ada.headers | {"Accept-Encoding": coding, "X-Request-ID": "the-same"}
    get, content = await raw(ada.client, "GET", repo, headers)
    head, nothing = await raw(ada.client, "HEAD", repo, headers)
    assert content
    assert nothing == b""
    assert head.headers == get.headers
    not_modified, _ = await raw(
        ada.client, "HEAD", repo, headers | {"If-None-Match": get.headers["etag"]}
    )
    assert not_modified.status_code == 304


@pytest.mark.parametrize("coding", CODINGS)
async def test_the_etag_of_a_compressed_answer_is_known_to_if_none_match(
    ada: User, repo: str, coding: str
) -> None:
    headers = ada.headers | {"Accept-Encoding": coding}
    etag = (await ada.client.get(repo, headers=headers)).headers["etag"]
    plain = (await ada.client.get(repo, headers=ada.headers | IDENTITY)).headers["etag"]
    assert etag != plain
    for known, answered in (
        (etag, etag),
        (f"W/{etag}", etag),
        (f'"other", {etag}', etag),
        (f"{plain}, {etag}", etag),  # that of the answer which the client would get now
        (plain, plain),
    ):
        answer = await ada.client.get(repo, headers=headers | {"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b""), known
        assert answer.headers["etag"] == answered
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "content-encoding" not in answer.headers
    for other in (etag.replace(coding, "br"), f'"x{etag[1:]}', f'"{coding}"', f'"-{coding}"'):
        answer = await ada.client.get(repo, headers=headers | {"If-None-Match": other})
        assert answer.status_code == 200, other
    await ada.client.patch(repo, json={"metadata": {"key 1": "new"}}, headers=ada.headers)
    answer = await ada.client.get(repo, headers=headers | {"If-None-Match": etag})
    assert answer.status_code == 200


@pytest.mark.parametrize("coding", CODINGS)
async def test_the_etag_of_a_compressed_answer_is_known_to_if_match(
    ada: User, repo: str, coding: str
) -> None:
    headers = ada.headers | {"Accept-Encoding": coding}
    for form in ("{}", '"other", {}', "{},W/{}"):
        etag = (await ada.client.get(repo, headers=headers)).headers["etag"]
        condition = {"If-Match": form.format(etag, etag)}
        changed = await ada.client.patch(repo, json={"path": form}, headers=headers | condition)
        assert changed.status_code == 422, "not a path"
        changed = await ada.client.patch(
            repo, json={"path": f"/{len(form)}"}, headers=headers | condition
        )
        assert changed.status_code == 200, form
        stale = await ada.client.patch(repo, json={"path": "/x"}, headers=headers | condition)
        assert code(stale) == "412 precondition-failed"
        # The answer to a change has the ETag of the new state, in its own coding.
        condition = {"If-Match": changed.headers["etag"]}
        assert changed.headers["etag"].endswith(f'-{coding}"')
        again = await ada.client.patch(repo, json={"path": "/y"}, headers=headers | condition)
        assert again.status_code == 200
    weak = {"If-Match": f"W/{again.headers['etag']}"}
    assert code(await ada.client.delete(repo, headers=headers | weak)) == "412 precondition-failed"
    fresh = {"If-Match": again.headers["etag"]}
    assert (await ada.client.delete(repo, headers=headers | fresh)).status_code == 204


async def test_the_etag_of_an_answer_in_any_coding_is_known_to_the_condition_of_an_entry(
    ada: User,
) -> None:
    vault = await ada.vault((await ada.workspace())["id"])
    path = f"/vaults/{vault['id']}/entries/key"
    etag = (await ada.put(path, {"content": "old"})).headers["etag"]
    coded = f'{etag[:-1]}-gzip"'
    refused = await ada.put(path, {"content": "new"}, headers={"If-None-Match": coded})
    assert code(refused) == "412 precondition-failed"
    accepted = await ada.put(path, {"content": "new"}, headers={"If-Match": coded})
    assert accepted.status_code == 200


async def test_a_replay_has_the_same_content_and_etag(ada: User) -> None:
    workspace = await ada.workspace()
    path = f"{API}/workspaces/{workspace['id']}/repos"
    body = {"name": "engine", "path": "/engine", **LARGE}
    headers = ada.headers | {"Idempotency-Key": "once"}
    first = await ada.client.post(path, json=body, headers=headers)
    again = await ada.client.post(path, json=body, headers=headers)
    plain = await ada.client.post(path, json=body, headers=headers | IDENTITY)
    assert first.headers["content-encoding"] == "gzip"
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert plain.headers["etag"] == first.headers["etag"].replace("-gzip", "")


@pytest.mark.long
async def test_secrets_are_never_compressed(ada: User) -> None:
    workspace = await ada.workspace()
    vault = await ada.vault(workspace["id"], **LARGE)
    path = f"/vaults/{vault['id']}"
    long = "x" * 250
    for number in range(5):
        await ada.put(f"{path}/entries/{number}/{long}", {"content": "secret " * 1000})
        await ada.api_token(name=f"{number} {long}")
    for answer in (
        await ada.get(f"{path}/entries/1/{long}"),
        await ada.get(f"{path}/entries"),
        await ada.put(f"{path}/entries/{long * 2}", {"content": "secret"}),
        await ada.get("/api-tokens"),
        await ada.post(f"{path}/unlock"),
    ):
        assert answer.is_success
        assert "content-encoding" not in answer.headers
        assert "vary" not in answer.headers
        assert not answer.headers.get("etag", "").endswith('-gzip"')
    assert len((await ada.get("/api-tokens")).content) > 1024
    assert len((await ada.post(f"{path}/unlock")).content) > 1024
    # The vault itself contains no secret.
    assert (await ada.get(path)).headers["content-encoding"] == "gzip"


async def test_a_list_of_large_items_is_compressed_beside_the_event_loop(ada: User) -> None:
    workspace = await ada.workspace()
    path = f"/workspaces/{workspace['id']}/repos"
    metadata = {f"key {number}": "value" * 10 for number in range(400)}
    for name in ("a", "b", "c", "d"):
        await ada.repo(workspace["id"], name, metadata=metadata)
    answer, content = await raw(ada.client, "GET", API + path, ada.headers)
    whole = decoded(answer, content)
    assert len(whole) > 65_536
    assert len(content) < len(whole) / 10
    assert [each["name"] for each in json.loads(whole)["items"]] == ["a", "b", "c", "d"]


async def test_a_large_problem_is_compressed_like_any_answer(ada: User) -> None:
    fields = {f"unknown {number}": 1 for number in range(30)}
    answer = await ada.post(f"/user-profiles/{ada.id}/workspaces", fields)
    assert answer.headers["content-encoding"] == "gzip"
    assert code(answer) == "422 validation-error"


async def test_vary_keeps_what_it_had(client: httpx.AsyncClient) -> None:
    page = await client.get("/problems/validation-error")
    assert page.status_code == 200
    start = await client.get("/", headers={"Accept": "text/html"})
    assert start.headers["vary"].partition(",")[0] == "Accept"

"""Reports that are damaged, too large, or made to do harm: each is refused, with a pointer."""

import gzip
import json
import zlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest

from symphony.domain.base import new_id
from tests.support.api import User, code, faults
from tests.support.machines.reports import (
    checkout_body,
    commit,
    compressed,
    put_bytes,
    put_report,
    report_body,
    work_item,
)

LIMIT = 4 * 2**20
MEGABYTE = "x" * 2**20
MACHINE = "01a1e37f-d0b4-7a02-9f3e-6c1d2b7a4e58"


async def test_a_compressed_report_is_the_same(ada: User, machine: dict[str, Any]) -> None:
    body = report_body(checkout_body("/a"), sequence=3)
    for name, encoding in enumerate(("gzip", "GZIP", " x-gzip ")):
        other = await ada.machine(f"m{name}")
        answer = await put_bytes(ada, other["id"], compressed(body), encoding)
        assert answer.json() == {"sequence": 3, "matched": 0, "unmatched": 1}
    plain = json.dumps(body).encode()
    answer = await put_bytes(ada, machine["id"], plain, "identity")
    assert answer.status_code == 200


@pytest.mark.long
async def test_a_report_of_4_mebibytes_is_read_whatever_the_limit_of_bodies_is(
    ada: User, machine: dict[str, Any]
) -> None:
    content = json.dumps(report_body(checkout_body())).encode().ljust(LIMIT)
    assert (await put_bytes(ada, machine["id"], content)).status_code == 200
    other = (await ada.machine("other"))["id"]
    assert (await put_bytes(ada, other, gzip.compress(content), "gzip")).status_code == 200
    for body, encoding in (
        (content + b" ", None),
        (gzip.compress(content + b" "), "gzip"),
        (gzip.compress(bytes(2**30)), "gzip"),
    ):
        refused = await put_bytes(ada, other, body, encoding)
        assert code(refused) == "413 payload-too-large"
        assert f"{LIMIT:,} bytes" in refused.json()["detail"]


@pytest.mark.long
async def test_a_bomb_is_decompressed_no_further_than_the_limit(
    ada: User, machine: dict[str, Any]
) -> None:
    bomb = gzip.compress(bytes(2**30))
    sent = list[int]()

    async def pieces() -> AsyncGenerator[bytes]:
        for start in range(0, len(bomb), 1024):
            sent.append(start)
            yield bomb[start : start + 1024]

    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    path = f"/machines/{machine['id']}/report"
    answer = await ada.request("PUT", path, content=pieces(), headers=headers)
    assert code(answer) == "413 payload-too-large"
    assert len(sent) < 8


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda content: content[:-1],
    lambda content: content[: len(content) // 2],
    lambda content: content[:-8] + bytes(8),
    lambda content: content + b"x",
    lambda content: content + content,
    lambda _: b"{}",
    lambda content: zlib.compress(gzip.decompress(content)),
    lambda content: b"\x1f\x8b" + bytes(50),
]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_gzip_is_malformed(
    ada: User, machine: dict[str, Any], damage: Callable[[bytes], bytes]
) -> None:
    content = damage(compressed(report_body()))
    assert code(await put_bytes(ada, machine["id"], content, "gzip")) == "400 malformed-request"


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip;q=1", "x"])
async def test_other_encodings_are_not_supported(
    ada: User, machine: dict[str, Any], encoding: str
) -> None:
    answer = await put_bytes(ada, machine["id"], compressed(report_body()), encoding)
    assert code(answer) == "415 unsupported-media-type"
    assert answer.headers["Accept-Encoding"] == "gzip"


async def test_no_other_operation_accepts_compressed_bodies(ada: User) -> None:
    content = compressed({"name": "laptop"})
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await ada.request("POST", "/machines", content=content, headers=headers)
    assert code(answer) == "415 unsupported-media-type"
    assert answer.headers["Accept-Encoding"] == "identity"
    headers["Content-Encoding"] = "identity"
    plain = await ada.request("POST", "/machines", content=b'{"name": "laptop"}', headers=headers)
    assert plain.status_code == 201


async def test_the_problems_of_a_report_come_in_the_order_of_the_contract(
    ada: User, machine: dict[str, Any]
) -> None:
    """Each request has all problems of those that follow."""
    stranger, reader = ada.using("nothing"), ada.using((await ada.api_token("read"))["token"])
    unknown = str(new_id())
    text = {"Content-Type": "text/plain"}
    damaged, bad = compressed(report_body())[:-1], compressed({"sequence": -1})
    wanted = [
        (
            "413 payload-too-large",
            await put_bytes(stranger, unknown, gzip.compress(bytes(LIMIT + 1)), "gzip", **text),
        ),
        ("401 unauthenticated", await put_bytes(stranger, unknown, damaged, "gzip", **text)),
        ("415 unsupported-media-type", await put_bytes(reader, unknown, damaged, "br")),
        ("415 unsupported-media-type", await put_bytes(reader, unknown, damaged, "gzip", **text)),
        ("400 malformed-request", await put_bytes(reader, unknown, damaged, "gzip")),
        ("403 insufficient-scope", await put_bytes(reader, unknown, bad, "gzip")),
        ("422 validation-error", await put_bytes(ada, unknown, bad, "gzip")),
        ("404 machine-not-found", await put_report(ada, unknown, report_body())),
    ]
    assert [code(answer) for _, answer in wanted] == [each for each, _ in wanted]


def changed(path: str, value: object) -> dict[str, Any]:
    """A report in which one value, at a JSON pointer, is another one."""
    body: Any = report_body(checkout_body("/first"), checkout_body(status={"work": [work_item()]}))
    *steps, last = [int(each) if each.isdigit() else each for each in path.split("/")[1:]]
    target = body
    for step in steps:
        target = target[step]
    target[last] = value
    return body


STATUS = "/checkouts/1/status"
WORK = f"{STATUS}/work/0"


BAD: list[tuple[str, object, str]] = [
    ("/checkouts", None, "list-expected"),
    ("/checkouts", [{}] * 1001, "too-long"),
    ("/roots", ["/a"] * 101, "too-long"),
    ("/checkouts/1", 7, "object-expected"),
    ("/checkouts/1/path", "relative", "not-absolute"),
    ("/checkouts/1/path", "~/dev", "not-absolute"),
    ("/checkouts/1/path", "/" + MEGABYTE, "too-long"),
    ("/checkouts/1/path", "/a\0b", "not-absolute"),
    ("/checkouts/1/path", "/\ud800", "lone-surrogate"),
    ("/checkouts/1/path", "", "not-absolute"),
    ("/checkouts/1/machine_id", MACHINE, "unknown-field"),
    ("/user_profile_id", MACHINE, "unknown-field"),
    ("/checkouts/1/repo_id", MACHINE, "unknown-field"),
    ("/checkouts/1/remotes", [{"name": "o", "url": "u"}] * 10_000, "too-long"),
    ("/checkouts/1/remotes/0/url", "x" * 2049, "too-long"),
    ("/checkouts/1/remotes/0/url", "a\0b", "nul-character"),
    ("/checkouts/1/remotes/0/name", MEGABYTE, "too-long"),
    ("/checkouts/1/remotes/0/name", 7, "string-expected"),
    ("/checkouts/1/root_commits", [commit("a")] * 21, "too-long"),
    ("/checkouts/1/root_commits", ["HEAD"], "not-a-commit"),
    ("/checkouts/1/root_commits", [commit("a").upper()], "not-a-commit"),
    ("/checkouts/1/root_commits", [commit("a") + "\n"], "not-a-commit"),
    ("/checkouts/1/remote_heads/0/head", "a" * 41, "not-a-commit"),
    ("/checkouts/1/remote_heads/0/branch", "x" * 1001, "too-long"),
    (f"{STATUS}/at_risk", "true", "boolean-expected"),
    (f"{STATUS}/at_risk", 1, "boolean-expected"),
    (f"{STATUS}/staged", -1, "too-small"),
    (f"{STATUS}/staged", 2**63, "too-large"),
    (f"{STATUS}/staged", 10**400, "too-large"),
    (f"{STATUS}/staged", None, "integer-expected"),
    (f"{STATUS}/stashes", True, "integer-expected"),
    (f"{STATUS}/ahead", "3", "integer-expected"),
    (f"{STATUS}/state", "fine", "unknown-value"),
    (f"{STATUS}/operation", MEGABYTE, "unknown-value"),
    (f"{STATUS}/observed_at", "yesterday", "not-a-time"),
    (f"{STATUS}/observed_at", 1_795_000_000, "not-a-time"),
    (f"{STATUS}/observed_at", "2026-02-30T00:00:00Z", "not-a-time"),
    (f"{STATUS}/observed_at", "0001-01-01T00:00:00+01:00", "not-a-time"),
    (f"{STATUS}/reason", MEGABYTE, "too-long"),
    (f"{STATUS}/branch", "a\0b", "nul-character"),
    (f"{STATUS}/branch", "\udfff", "lone-surrogate"),
    (f"{STATUS}/head/subject", "x" * 1001, "too-long"),
    (f"{STATUS}/head/colour", "blue", "unknown-field"),
    (f"{STATUS}/work", [work_item()] * 501, "too-long"),
    (f"{WORK}/kind", "stash", "unknown-value"),
    (f"{WORK}/integrated", None, "unknown-value"),
    (f"{WORK}/head", None, "string-expected"),
    (f"{WORK}/committed_at", "2026-11-15", "not-a-time"),
    (f"{STATUS}/as_of", {"source": "gossip", "at": None}, "unknown-value"),
    (f"{STATUS}/worktrees", [None], "object-expected"),
    (f"{STATUS}/remotes", {f"r{number}": "u" for number in range(101)}, "too-long"),
    (f"{STATUS}/remotes", [], "object-expected"),
]


@pytest.mark.parametrize(
    ("pointer", "value", "wanted"),
    BAD,
    ids=[f"{number}-{pointer}-{wanted}" for number, (pointer, _, wanted) in enumerate(BAD)],
)
async def test_a_bad_value_is_refused_with_its_pointer(
    ada: User, machine: dict[str, Any], pointer: str, value: object, wanted: str
) -> None:
    content = json.dumps(changed(pointer, value))  # httpx cannot send a lone surrogate
    answer = await put_bytes(ada, machine["id"], content.encode())
    (fault,) = faults(answer)
    assert fault[0].startswith(pointer)
    assert fault[1] == wanted
    assert (await ada.get(f"/machines/{machine['id']}")).json() == machine


@pytest.mark.parametrize(
    "field", [*report_body(), *(f"checkouts/0/{each}" for each in checkout_body())]
)
async def test_every_field_of_a_report_is_required(
    ada: User, machine: dict[str, Any], field: str
) -> None:
    *steps, last = field.split("/")
    body: Any = report_body(checkout_body())
    target = body
    for step in steps:
        target = target[int(step) if step.isdigit() else step]
    del target[last]
    assert faults(await put_report(ada, machine["id"], body)) == [(f"/{field}", "missing")]


async def test_every_field_of_a_status_is_required_but_those_that_were_added(
    ada: User, machine: dict[str, Any]
) -> None:
    names = checkout_body()["status"].keys() - {"changed_since", "stashed_since"}
    body = report_body(checkout_body() | {"status": {}})
    places = {place for place, _ in faults(await put_report(ada, machine["id"], body))}
    assert places == {f"/checkouts/0/status/{name}" for name in names}


async def _raw(ada: User, machine: dict[str, Any], content: str) -> httpx.Response:
    return await put_bytes(ada, machine["id"], content.encode(), None)


async def test_deep_and_broken_documents_are_refused(ada: User, machine: dict[str, Any]) -> None:
    body = json.dumps(report_body(checkout_body()))
    deep = body.replace("[]", "[" * 100_000 + "]" * 100_000)
    for content in (deep, "[" * 2_000_000, '{"sequence":' * 200_000):
        answer = await _raw(ada, machine, content)
        assert code(answer) in {"400 malformed-request", "422 validation-error"}
    twice = body.replace('"path":', '"path": "/first", "path":')
    assert faults(await _raw(ada, machine, twice)) == [("/checkouts/0/path", "duplicate-field")]
    for content in ("", "null", "[]", body[:-1], body + "x", body.replace("1", "NaN", 1)):
        assert code(await _raw(ada, machine, content))[:3] in {"400", "422"}
    assert (await ada.get(f"/machines/{machine['id']}")).json() == machine


@pytest.mark.long
@pytest.mark.parametrize(
    "content",
    [
        '{"checkouts": [' + ",".join("1" for _ in range(2_000_000)) + "]}",
        '{"checkouts": [' + ",".join("{}" for _ in range(1000)) + "]}",
        "{" + ",".join(f'"f{number}": 1' for number in range(200_000)) + "}",
        '{"checkouts": [{' + ",".join(f'"f{number}": 1' for number in range(200_000)) + "}]}",
        '{"checkouts": [{"root_commits": [' + ",".join("1" for _ in range(2_000_000)) + "]}]}",
        '{"checkouts": [' + ",".join(['{"status": {"work": [{}, {}, {}]}}'] * 1000) + "]}",
    ],
    ids=["numbers", "empty", "fields", "fields-of-checkout", "roots", "work"],
)
async def test_millions_of_faults_are_answered_with_a_few(
    ada: User, machine: dict[str, Any], content: str
) -> None:
    assert len(content) < LIMIT
    answer = await _raw(ada, machine, content)
    assert code(answer) == "422 validation-error"
    assert len(answer.json()["errors"]) <= 50
    assert len(answer.content) < 20_000


async def test_texts_of_a_machine_may_have_any_other_characters(
    ada: User, machine: dict[str, Any]
) -> None:
    odd = '\x1b[31m\x1b]0;owned\x07 \u202e "quoted" \\ \r\n \U0001f600'
    body = report_body(
        checkout_body(
            f"/{odd}",
            remotes=[{"name": odd, "url": odd}],
            remote_heads=[{"remote": odd, "branch": odd, "head": "ab" * 32}],
            status={
                "state": "dirty",
                "branch": odd,
                "reason": odd,
                "upstream": odd,
                "remotes": {odd: odd},
                "work": [work_item(name=odd, worktree=odd)],
                "main_repository": odd,
            },
        )
    )
    assert (await put_report(ada, machine["id"], body)).status_code == 200

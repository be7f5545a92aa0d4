"""Unusual bodies: each is refused with the right error or stored unchanged, on every store."""

import json
from typing import Any

import httpx
import pytest

from tests.support.api import User, code, faults

JSON = {"Content-Type": "application/json"}
KIB_64 = 64 * 1024


def _nested(levels: int, opening: str = '{"d":', innermost: str = "{}", closing: str = "}") -> str:
    """A JSON object with a number of levels."""
    return opening * (levels - 1) + innermost + closing * (levels - 1)


# Not JSON (RFC 8259).
MALFORMED: tuple[bytes, ...] = (
    b"",
    b" ",
    b"\n\t",
    b"{",
    b"}",
    b"[1,",
    b'{"name"}',
    b'{"name": }',
    b'{"name": "a"',
    b'{"name": "a",}',
    b'{"name": "a"} x',
    b'{"name": "a"}{"name": "b"}',
    b"{'name': 'a'}",
    b'{name: "a"}',
    b'{"name": "a" /* why */}',
    b'{"name": "a\nb"}',
    b'{"name": "a\x00b"}',
    b'{"name": "\\x41"}',
    b'{"name": "\\u12"}',
    b'{"name": undefined}',
    b'{"name": None}',
    b'{"name": True}',
    b'{"settings": {"a": NaN}}',
    b'{"settings": {"a": Infinity}}',
    b'{"settings": {"a": -Infinity}}',
    b'{"settings": {"a": 01}}',
    b'{"settings": {"a": +1}}',
    b'{"settings": {"a": .5}}',
    b'{"settings": {"a": 1.}}',
    b'{"settings": {"a": 0x10}}',
    b'{"settings": {"a": 1e}}',
    b'{"settings": {"a": --1}}',
    b"\x00",
    b"\xff",
    b'{"name": "\xff"}',
    b'{"name": "\xc3\x28"}',
    b'{"name": "\xed\xa0\x80"}',  # a surrogate, encoded
    b'{"name": "\xc0\xaf"}',  # a slash, overlong
    b'{"name": "\xf4\x90\x80\x80"}',  # above U+10FFFF
    '\ufeff{"name": "a"}'.encode(),
    '{"name": "a"}'.encode("utf-16"),
    '{"name": "a"}'.encode("utf-16-le"),
    '{"name": "a"}'.encode("utf-32"),
    '{"name": "é"}'.encode("latin-1"),
    b"name=a",
    b"<name>a</name>",
    b'"' + b"x" * 1000,
)
# JSON, but no valid workspace: the document, the pointer and the code.
REFUSED: tuple[tuple[str, str, str], ...] = (
    ("null", "", "object-expected"),
    ("true", "", "object-expected"),
    ("1", "", "object-expected"),
    ("1e400", "", "object-expected"),
    ("9" * 5000, "", "object-expected"),
    ('"a"', "", "object-expected"),
    ("[]", "", "object-expected"),
    ('[{"name": "a"}]', "", "object-expected"),
    ("{}", "/name", "missing"),
    ('{"name": null}', "/name", "string-expected"),
    ('{"name": true}', "/name", "string-expected"),
    ('{"name": 1}', "/name", "string-expected"),
    ('{"name": 1e400}', "/name", "string-expected"),
    ('{"name": ' + "9" * 5000 + "}", "/name", "string-expected"),
    ('{"name": []}', "/name", "string-expected"),
    ('{"name": {}}', "/name", "string-expected"),
    ('{"name": ["a"]}', "/name", "string-expected"),
    ('{"name": ""}', "/name", "too-short"),
    ('{"name": " \\u3000\\u00a0 "}', "/name", "too-short"),
    ('{"name": "\\t"}', "/name", "control-character"),
    ('{"name": "a\\u0000"}', "/name", "nul-character"),
    ('{"name": "\\ud800"}', "/name", "lone-surrogate"),
    ('{"name": "\\udc00\\ud800"}', "/name", "lone-surrogate"),
    ('{"name": "a\\u0085b"}', "/name", "control-character"),
    ('{"name": "' + "x" * 256 + '"}', "/name", "too-long"),
    ('{"name": "' + "x" * 500_000 + '"}', "/name", "too-long"),
    ('{"name": "' + "\ufdfa" * 200 + '"}', "/name", "too-long"),  # 18 characters each once folded
    ('{"Name": "a", "name": "a"}', "/Name", "unknown-field"),
    ('{"name": "a", "id": "x"}', "/id", "unknown-field"),
    ('{"name": "a", "user_profile_id": "x"}', "/user_profile_id", "unknown-field"),
    ('{"name": "a", "version": 7}', "/version", "unknown-field"),
    ('{"name": "a", "__proto__": {}}', "/__proto__", "unknown-field"),
    ('{"name": "a", "": 1}', "", "unknown-field"),
    ('{"name": "a", "\\u0000": 1}', "", "unknown-field"),
    ('{"name": "a", "\\ud800": 1}', "", "lone-surrogate"),
    ('{"name": "a", "a/b~c": 1}', "", "unknown-field"),
    ('{"name": "a", "name": "a"}', "/name", "duplicate-field"),
    ('{"name": "a", "n\\u0061me": "b"}', "/name", "duplicate-field"),
    ('{"name": "a", "settings": {"b": 1, "b": 1}}', "/settings/b", "duplicate-field"),
    (
        '{"name": "a", "settings": {"c": [{}, {"b": {}, "b": 2}]}}',
        "/settings/c/1/b",
        "duplicate-field",
    ),
    ('{"name": "a", "description": 1}', "/description", "string-expected"),
    ('{"name": "a", "description": "\\u0000"}', "/description", "nul-character"),
    ('{"name": "a", "description": "\\udfff"}', "/description", "lone-surrogate"),
    ('{"name": "a", "description": "\\u001b[31m"}', "/description", "control-character"),
    ('{"name": "a", "description": "' + "x" * 10_001 + '"}', "/description", "too-long"),
    ('{"name": "a", "workspace_type": null}', "/workspace_type", "unknown-value"),
    ('{"name": "a", "workspace_type": "General"}', "/workspace_type", "unknown-value"),
    ('{"name": "a", "workspace_type": ["general"]}', "/workspace_type", "unknown-value"),
    ('{"name": "a", "workspace_type": 0}', "/workspace_type", "unknown-value"),
    ('{"name": "a", "settings": null}', "/settings", "object-expected"),
    ('{"name": "a", "settings": []}', "/settings", "object-expected"),
    ('{"name": "a", "settings": [["a", 1]]}', "/settings", "object-expected"),
    ('{"name": "a", "settings": "{}"}', "/settings", "object-expected"),
    ('{"name": "a", "settings": true}', "/settings", "object-expected"),
)
# What free-form objects must not contain, with the code.
REFUSED_IN_OBJECTS: tuple[tuple[str, str], ...] = (
    ('{"a": 1e400}', "number-overflow"),
    ('{"a": -1e400}', "number-overflow"),
    ('{"a": [[1E+999999]]}', "number-overflow"),
    ('{"a": 1' + "0" * 1000 + "}", "number-too-long"),
    ('{"a": -1' + "0" * 1000 + "}", "number-too-long"),
    ('{"a": "\\u0000"}', "nul-character"),
    ('{"a": ["b\\u0000"]}', "nul-character"),
    ('{"\\u0000": 1}', "nul-character"),
    ('{"a": {"b\\u0000": 1}}', "nul-character"),
    ('{"a": "\\ud800"}', "lone-surrogate"),
    ('{"a": "\\udc00x\\ud83d"}', "lone-surrogate"),
    ('{"\\udfff": 1}', "lone-surrogate"),
    ('{"a": [{"\\ud800": 1}]}', "lone-surrogate"),
    (_nested(33), "too-deep"),
    (_nested(33, '{"d":[', "{}", "]}"), "too-deep"),
    ('{"a":' + "[" * 32 + "]" * 32 + "}", "too-deep"),
    ('{"a":"' + "x" * (KIB_64 - 7) + '"}', "too-large"),
    ('{"a":"' + "é" * (KIB_64 // 2) + '"}', "too-large"),
    ('{"a":"' + "\\u00e9" * (KIB_64 // 2) + '"}', "too-large"),
    ('{"a":[' + "1," * (KIB_64 // 2) + "1]}", "too-large"),
)
# What free-form objects may contain, and must return unchanged.
KEPT: tuple[str, ...] = (
    "{}",
    '{"": ""}',
    '{"a": null, "b": [null], "c": {"d": null}}',
    '{"a": true, "b": 1, "c": 1.0, "d": "1", "e": 0, "f": false, "g": []}',
    '{"a": 1e300, "b": -1e300, "c": 5e-324, "d": 1e-400, "e": 1.7976931348623157e308}',
    '{"a": 0.1, "b": 123456789.123456789, "c": 1E5, "d": 100000000000000000000000.0}',
    '{"a": 9007199254740993, "b": -9223372036854775809, "c": 18446744073709551616}',
    '{"a": ' + "9" * 1000 + ', "b": -' + "9" * 1000 + "}",
    '{"a": "\\ud83d\\ude00", "b": "\\u202eabc", "c": "e\\u0301", "d": "\\ufeff\\uffff"}',
    '{"a": "\\t\\n\\r\\b\\f\\u0001\\u007f\\u2028", "b\\n": 1}',
    '{"a\'b": "\'; DROP TABLE workspaces; --", "$where": "1", "%s": "%(x)s", ":x": "?"}',
    '{"z": 1, "a": 2, "Z": 3, "a.b": 4, "a/b": 5, "~0": 6, "__proto__": {"x": 1}}',
    _nested(32),
    '{"a":' + "[" * 31 + "]" * 31 + "}",
    '{"a":"' + "x" * (KIB_64 - 8) + '"}',
    '{"a":"' + "é" * (KIB_64 // 2 - 4) + '"}',
    '{ "a" : "' + "x" * (KIB_64 - 8) + '" \n}',  # spaces outside of strings do not count
)


async def _post(user: User, path: str, content: bytes | str) -> httpx.Response:
    return await user.request("POST", path, content=content, headers=JSON)


async def test_a_body_that_is_not_json_in_utf_8_is_malformed(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    for body in MALFORMED:
        assert code(await _post(ada, path, body)) == "400 malformed-request", body
    assert (await ada.get(path)).json()["items"] == []


@pytest.mark.long
async def test_an_invalid_workspace_is_reported_with_pointer_and_code(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    for body, pointer, reason in REFUSED:
        assert faults(await _post(ada, path, body)) == [(pointer, reason)], body[:80]
    assert (await ada.get(path)).json()["items"] == []


async def test_a_patch_that_is_not_an_object_is_refused(ada: User) -> None:
    workspace = await ada.workspace()
    path = f"/workspaces/{workspace['id']}"
    for body in ("null", "true", "1", "1e400", "9" * 5000, '"a"', "[]", "[{}]"):
        answer = await ada.request("PATCH", path, content=body, headers=JSON)
        assert faults(answer) == [("", "object-expected")], body[:80]
    assert (await ada.get(path)).json() == workspace


async def test_extreme_nesting_is_refused(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    for depth in (1_000, 100_000):
        for body in ("[" * depth + "]" * depth, _nested(depth)):
            (fault,) = faults(await _post(ada, path, f'{{"name": "a", "settings": {body}}}'))
            assert fault[1] in {"too-deep", "object-expected"}
        unclosed = await _post(ada, path, "[" * depth)
        assert code(unclosed) in {"400 malformed-request", "422 validation-error"}


@pytest.mark.long
async def test_objects_with_values_that_a_store_cannot_keep_are_refused(ada: User) -> None:
    workspace = await ada.workspace()
    path = f"/workspaces/{workspace['id']}"
    for content, reason in REFUSED_IN_OBJECTS:
        body = f'{{"settings": {content}}}'
        changed = await ada.request("PATCH", path, content=body, headers=JSON)
        assert faults(changed) == [("/settings", reason)], content[:80]
        body = f'{{"name": "a", "path": "/a", "metadata": {content}}}'
        for noun in ("repos", "vaults"):
            made = await _post(ada, f"{path}/{noun}", body)
            assert faults(made) == [("/metadata", reason)], content[:80]
    assert (await ada.get(path)).json() == workspace


async def test_integers_too_long_to_read_are_refused(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/workspaces"
    for digits in (4300, 4301, 5000, 300_000):
        body = f'{{"name": "a", "settings": {{"a": {"9" * digits}}}}}'
        assert [place for place, _ in faults(await _post(ada, path, body))] == ["/settings"]


async def test_valid_objects_are_returned_unchanged(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/repos"
    for number, content in enumerate(KEPT):
        body = f'{{"name": "r{number}", "path": "/r", "metadata": {content}}}'
        made = await _post(ada, path, body)
        assert made.status_code == 201, content[:80]
        read = await ada.get(f"/repos/{made.json()['id']}")
        assert _exactly(made.json()["metadata"]) == _exactly(json.loads(content)), content[:80]
        assert read.content == made.content


def _exactly(value: Any) -> str:
    """A text that differs for 1, 1.0 and true."""
    return json.dumps(value, sort_keys=True)

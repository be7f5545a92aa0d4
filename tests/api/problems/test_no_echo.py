"""Error responses contain nothing that was sent, except ids and names of fields."""

import json
from typing import Any

import pytest

from tests.support.api import API, PASSWORD, User

# The text of an error does not depend on the store.
pytestmark = pytest.mark.parametrize("store_kind", ["sqlite-memory"])
JSON = {"Content-Type": "application/json"}
CANARY = "c4n4ry"
Headers = dict[str, str]
NAMES = (
    f"{CANARY} <b>",
    f"{CANARY}/~1",
    f"{CANARY}\n",
    f"é{CANARY}",
    f"${{{CANARY}}}",
    CANARY * 11,
)
BODIES: tuple[Any, ...] = (
    {"name": [CANARY]},
    {"name": {CANARY + "!": CANARY}},
    {"name": "a", "workspace_type": CANARY},
    {"name": "a", "description": f"{CANARY}\0"},
    {"name": f"{CANARY}\0"},
    {"name": CANARY * 50},
    {"name": "a", "settings": {f"{CANARY}\0": 1}},
    {"name": "a", "settings": {f"{CANARY} x": float("1e308"), "b": f"{CANARY}\ud800"}},
    {"name": "a", "settings": CANARY},
    CANARY,
    [CANARY],
    *({"name": "a", name: CANARY} for name in NAMES),
)
CONTENTS = (
    *(json.dumps(body).encode() for body in BODIES),
    *(f'{{"name": "a", "{name}": 1, "{name}": 1}}'.encode() for name in NAMES if "\n" not in name),
    f'{{"name": {CANARY}'.encode(),
    b'{"name": "' + CANARY.encode() + b'\xff"}',
)
WORKSPACES = "/user-profiles/{id}/workspaces"
REQUESTS: tuple[tuple[str, str, bytes, Headers], ...] = (
    ("POST", WORKSPACES, b"{}", {"Content-Type": CANARY}),
    ("POST", WORKSPACES, b"{}", JSON | {"Authorization": f"Bearer {CANARY}"}),
    ("POST", WORKSPACES, b"{}", JSON | {"Authorization": CANARY}),
    ("POST", WORKSPACES, b"{}", JSON | {"Idempotency-Key": f"{CANARY} {CANARY}"}),
    ("PATCH", "/user-profiles/me", b"{}", JSON | {"If-Match": CANARY}),
    ("PATCH", "/user-profiles/{id}", b"{}", JSON | {"If-Match": CANARY}),
    ("PATCH", "/user-profiles/{id}", b"{}", JSON | {"If-Match": f'"{CANARY}"'}),
    ("GET", "/user-profiles/me", b"", {"If-None-Match": CANARY}),
    ("GET", f"{WORKSPACES}?{CANARY}!=1", b"", {}),
    ("GET", f"{WORKSPACES}?limit={CANARY}", b"", {}),
    ("GET", f"{WORKSPACES}?sort={CANARY}", b"", {}),
    ("GET", f"{WORKSPACES}?type={CANARY}", b"", {}),
    ("GET", f"{WORKSPACES}?cursor={CANARY}", b"", {}),
    ("GET", f"{WORKSPACES}?q={CANARY}%00", b"", {}),
    ("GET", f"{WORKSPACES}?q={CANARY}&q={CANARY}", b"", {}),
    ("GET", f"{WORKSPACES}?q={CANARY}%ff", b"", {}),
    ("GET", "/nothing", b"", {"X-Request-ID": f"{CANARY} !"}),
    (CANARY.upper(), WORKSPACES, b"", {}),
)
SIGN_INS = (
    {"username": "ada", "password": PASSWORD + CANARY},
    {"username": CANARY, "password": PASSWORD},
    {"username": CANARY, "password": PASSWORD, CANARY + "!": "x"},
    {"username": "ada", "password": "x", "grant_type": CANARY},
)


@pytest.mark.parametrize("content", CONTENTS)
async def test_no_part_of_a_body_is_in_an_error(ada: User, content: bytes) -> None:
    await require_no_echo(ada, "POST", WORKSPACES, content, JSON)


@pytest.mark.parametrize(("method", "path", "content", "headers"), REQUESTS)
async def test_no_part_of_a_query_or_header_is_in_an_error(
    ada: User, method: str, path: str, content: bytes, headers: Headers
) -> None:
    await require_no_echo(ada, method, path, content, headers)


@pytest.mark.parametrize("form", SIGN_INS)
async def test_no_part_of_a_sign_in_is_in_an_error(ada: User, form: Headers) -> None:
    answer = await ada.client.post(f"{API}/auth/token", data=form)
    assert answer.status_code >= 400
    assert CANARY not in answer.text


async def test_an_invalid_request_id_is_not_returned(ada: User) -> None:
    answer = await ada.get("/user-profiles/me", headers={"X-Request-ID": f"{CANARY} !"})
    assert answer.status_code == 200
    assert CANARY not in str(answer.headers)


async def require_no_echo(
    user: User, method: str, path: str, content: bytes, headers: Headers
) -> None:
    path = path.replace("{id}", user.id)
    answer = await user.request(method, path, content=content, headers=headers)
    assert answer.status_code >= 400
    assert CANARY not in answer.text.lower()
    assert CANARY not in str(answer.headers).lower()

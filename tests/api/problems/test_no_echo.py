"""Errors hold nothing that was sent, but ids and names."""

import json
from typing import Any

from tests.support.api import API, PASSWORD, User

JSON = {"Content-Type": "application/json"}


async def test_nothing_that_was_sent_comes_back_in_an_error(ada: User) -> None:
    canary = "c4n4ry"
    odd = [
        f"{canary} <b>",
        f"{canary}/~1",
        f"{canary}\n",
        f"é{canary}",
        f"${{{canary}}}",
        canary * 11,
    ]
    path = f"/user-profiles/{ada.id}/workspaces"
    bodies: list[Any] = [
        {"name": [canary]},
        {"name": {canary + "!": canary}},
        {"name": "a", "workspace_type": canary},
        {"name": "a", "description": f"{canary}\0"},
        {"name": f"{canary}\0"},
        {"name": canary * 50},
        {"name": "a", "settings": {f"{canary}\0": 1}},
        {"name": "a", "settings": {f"{canary} x": float("1e308"), "b": f"{canary}\ud800"}},
        {"name": "a", "settings": canary},
        canary,
        [canary],
        *({"name": "a", name: canary} for name in odd),
    ]
    requests: list[tuple[str, str, bytes, dict[str, str]]] = [
        ("POST", path, json.dumps(body).encode(), JSON) for body in bodies
    ]
    requests += [
        ("POST", path, f'{{"name": "a", "{name}": 1, "{name}": 1}}'.encode(), JSON)
        for name in odd
        if "\n" not in name
    ]
    requests += [
        ("POST", path, f'{{"name": {canary}'.encode(), JSON),
        ("POST", path, b'{"name": "' + canary.encode() + b'\xff"}', JSON),
        ("POST", path, b"{}", {"Content-Type": canary}),
        ("POST", path, b"{}", JSON | {"Authorization": f"Bearer {canary}"}),
        ("POST", path, b"{}", JSON | {"Authorization": canary}),
        ("PATCH", "/user-profiles/me", b"{}", JSON | {"If-Match": canary}),
        ("PATCH", f"/user-profiles/{ada.id}", b"{}", JSON | {"If-Match": canary}),
        ("PATCH", f"/user-profiles/{ada.id}", b"{}", JSON | {"If-Match": f'"{canary}"'}),
        ("GET", "/user-profiles/me", b"", {"If-None-Match": canary}),
        ("GET", f"{path}?{canary}=1", b"", {}),
        ("GET", f"{path}?limit={canary}", b"", {}),
        ("GET", f"{path}?sort={canary}", b"", {}),
        ("GET", f"{path}?type={canary}", b"", {}),
        ("GET", f"{path}?cursor={canary}", b"", {}),
        ("GET", f"{path}?q={canary}%00", b"", {}),
        ("GET", f"{path}?q={canary}&q={canary}", b"", {}),
        ("GET", f"{path}?q={canary}%ff", b"", {}),
        ("GET", "/user-profiles/me", b"", {"X-Request-ID": f"{canary} !"}),
        ("GET", "/nothing", b"", {"X-Request-ID": f"{canary} !"}),
        (canary.upper(), path, b"", {}),
    ]
    for method, where, content, headers in requests:
        answer = await ada.request(method, where, content=content, headers=headers)
        if where == "/user-profiles/me" and "X-Request-ID" in headers:
            assert canary not in str(answer.headers)
            continue
        assert answer.status_code >= 400, (method, where, content)
        assert canary not in answer.text.lower(), answer.text
        assert canary not in str(answer.headers).lower()
    for body in (
        {"username": "ada", "password": PASSWORD + canary},
        {"username": canary, "password": PASSWORD},
        {"username": canary, "password": PASSWORD, canary + "!": "x"},
        {"username": "ada", "password": "x", "grant_type": canary},
    ):
        answer = await ada.client.post(f"{API}/auth/token", data=body)
        assert answer.status_code >= 400
        assert canary not in answer.text

"""Calling the API as one of its users."""

from typing import Any

import httpx

API = "/api/v1"
PASSWORD = "correct horse battery staple"


class User:
    """Somebody with a token, and the calls they make."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self.token = token
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}
        self.id: str = self.call("GET", "/user-profiles/me").json()["id"]

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self._headers | options.pop("headers", {})
        url = path if path.startswith(API) else API + path
        return self._client.request(method, url, headers=headers, **options)

    def make(self, where: str, **fields: Any) -> dict[str, Any]:
        return self.call("POST", where, json=fields).raise_for_status().json()


def sign_up(client: httpx.Client, name: str) -> User:
    """Somebody new, signed in."""
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    client.post(f"{API}/user-profiles", json=body).raise_for_status()
    answer = client.post(f"{API}/auth/token", data={"username": name, "password": PASSWORD})
    return User(client, answer.raise_for_status().json()["access_token"])


def problem(answer: httpx.Response) -> str:
    """The status and code of a problem, when it has the form of one."""
    if answer.headers.get("content-type") != "application/problem+json":
        return f"{answer.status_code}, not a problem"
    told = answer.json()
    same = told["status"] == answer.status_code and told["type"] == f"/problems/{told['code']}"
    return f"{told['status']} {told['code']}" if same else f"{answer.status_code}, contradictory"


def seen(answer: httpx.Response) -> str:
    """A problem in its own words."""
    return f"{problem(answer)}: {answer.json()['detail']}"

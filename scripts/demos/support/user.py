"""A user of the API: a token, and the calls made with it."""

from typing import Any

import httpx

API = "/api/v1"
PASSWORD = "correct horse battery staple"


class User:
    """A client of the API that sends the token of one user."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self.token = token
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}
        self.id: str = self.call("GET", "/user-profiles/me").raise_for_status().json()["id"]

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; `path` is given with or without `/api/v1`."""
        headers = self._headers | options.pop("headers", {})
        url = path if path.startswith(API) else API + path
        return self._client.request(method, url, headers=headers, **options)

    def create(self, where: str, **fields: Any) -> dict[str, Any]:
        """Create a resource. Raises: HTTPStatusError."""
        return self.call("POST", where, json=fields).raise_for_status().json()

    def create_workspace(self, name: str) -> str:
        """Create a workspace of this user; returns its id."""
        return self.create(f"/user-profiles/{self.id}/workspaces", name=name)["id"]


def sign_up(client: httpx.Client, name: str) -> User:
    """Create a user profile and sign in."""
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    client.post(f"{API}/user-profiles", json=body).raise_for_status()
    answer = client.post(f"{API}/auth/token", data={"username": name, "password": PASSWORD})
    return User(client, answer.raise_for_status().json()["access_token"])


def outcome(answer: httpx.Response) -> str:
    """The status, and the code of a problem document: `404 vault-not-found`."""
    if not answer.is_error:
        return str(answer.status_code)
    if answer.headers.get("content-type") != "application/problem+json":
        return f"{answer.status_code}, not a problem document"
    body = answer.json()
    agrees = body["status"] == answer.status_code and body["type"] == f"/problems/{body['code']}"
    return f"{body['status']} {body['code']}" if agrees else f"{answer.status_code}, contradictory"

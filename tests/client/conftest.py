"""The client against a real server, which a module of tests shares; each test has its own user."""

import asyncio
import os
import secrets
import subprocess
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from typer.testing import CliRunner

from symphony.cli import app
from tests.cli.conftest import Finished
from tests.support.server import SYMPHONY, running_server

PASSWORD = "correct horse battery staple"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def git_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server may inspect."""
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, git_directory: Path) -> Generator[str]:
    """The address of a server that inspects `git_directory`."""
    data_dir = tmp_path_factory.mktemp("server") / "data"
    running = running_server(
        data_dir, "--git-root", str(git_directory), REGISTRATION="open", LOG_FORMAT="json"
    )
    with asyncio.Runner() as runner:
        yield runner.run(running.__aenter__()).address
        runner.run(running.__aexit__(None, None, None))


@dataclass(frozen=True, slots=True)
class User:
    """A user of the server, with an access token for what a test prepares."""

    url: str
    id: str
    username: str
    token: str

    def request(self, method: str, path: str, json: Any = None) -> Any:
        answer = httpx.request(
            method,
            f"{self.url}/api/v1{path}",
            json=json,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def workspace(self, name: str) -> str:
        """Create a workspace and return its id."""
        return self.request("POST", f"/user-profiles/{self.id}/workspaces", {"name": name})["id"]

    def repo(self, workspace_id: str, name: str, path: str, remote: str | None = None) -> str:
        """Create a repo and return its id."""
        body = {"name": name, "path": path, "remote_url": remote}
        return self.request("POST", f"/workspaces/{workspace_id}/repos", body)["id"]

    def api_token(self, **fields: Any) -> dict[str, Any]:
        body = {"name": "test", "scopes": ["read", "write"], **fields}
        return self.request("POST", "/api-tokens", body)


@pytest.fixture
def ada(server: str) -> User:
    username = f"ada_{secrets.token_hex(6)}"
    profile = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    created = httpx.post(f"{server}/api/v1/user-profiles", json=profile, timeout=30).json()
    form = {"username": username, "password": PASSWORD}
    token = httpx.post(f"{server}/api/v1/auth/token", data=form, timeout=30).json()
    return User(server, created["id"], username, token["access_token"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def environment(home: Path) -> Mapping[str, str]:
    """The environment of a person's shell, without the files of the one who runs the tests."""
    # A pseudo-terminal has a size of its own; pytest-xdist sets these two.
    sizes = {"COLUMNS", "LINES"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("XDG_") and name not in sizes
    }
    return {**kept, "HOME": str(home), "TERM": "xterm", "GIT_CONFIG_GLOBAL": os.devnull}


@dataclass(frozen=True, slots=True)
class Client:
    """Runs the commands of the client."""

    environment: Mapping[str, str]

    def __call__(self, *arguments: str, stdin: str = "") -> Finished:
        """Run a command in this process, with pipes for its streams."""
        with patch.dict(os.environ, self.environment, clear=True):
            result = CliRunner().invoke(app, arguments, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Finished(result.exit_code, result.stdout, result.stderr)

    def program(self, *arguments: str, **environment: str) -> Finished:
        """Run a command in a process of its own, with pipes for its streams."""
        finished = subprocess.run(  # noqa: S603
            [SYMPHONY, *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Finished(finished.returncode, finished.stdout, finished.stderr)


@pytest.fixture
def symphony(environment: Mapping[str, str]) -> Client:
    return Client(environment)


@pytest.fixture
def signed_in(symphony: Client, ada: User) -> Client:
    """The commands after a login of `ada`."""
    token = ada.api_token()["token"]
    assert symphony("login", ada.url, "--token", token).status == 0
    return symphony

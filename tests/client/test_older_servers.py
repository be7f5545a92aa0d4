"""A server of a version without machines: what it has inspected itself is shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import refusal
from tests.client.conftest import Client
from tests.client.raw_server import http_answer, raw_server
from tests.client.test_board import signed_in_at
from tests.client.test_import import git

REPO = {"id": "5", "name": "engine", "workspace_id": "7", "remote_url": None, "version": 1}
STATUS = {
    "state": "dirty",
    "branch": "main",
    "at_risk": True,
    "observed_at": "2026-11-27T10:00:00Z",
    "modified": 2,
    "unpushed_commits": 1,
    "behind": 1,
    "stashes": 0,
    "work": [{"kind": "branch", "name": "main", "unpushed_commits": 1, "integrated": "no"}],
}


def problem(code: str, status: str) -> bytes:
    body = json.dumps({"code": code, "detail": "No.", "request_id": "r"}).encode()
    return http_answer(body, status, "application/problem+json")


@pytest.mark.parametrize("inspects", [True, False])
def test_the_status_of_a_repo_is_that_of_the_disk_of_the_server(
    inspects: bool,  # noqa: FBT001
    symphony: Client,
    tmp_path: Path,
) -> None:
    git("init", "-q", tmp_path / "engine")
    repo: dict[str, Any] = {**REPO, "path": str(tmp_path / "engine")}

    def answer(head: bytes) -> bytes:
        path = head.split()[1]
        if path.endswith(b"/status"):
            if inspects:
                return http_answer(json.dumps(STATUS).encode())
            return problem("git-disabled", "403 Forbidden")
        if b"/repos?" in path:
            return http_answer(json.dumps({"items": [repo]}).encode())
        if b"/workspaces?" in path:
            return http_answer(b'{"items": [{"id": "7", "name": "Thesis"}]}')
        return problem("route-not-found", "404 Not Found")

    with raw_server(answer) as server:
        signed_in_at(server, symphony.environment)
        shown = symphony("status", str(tmp_path / "engine"))
        path = symphony("path", "engine")
        board = symphony("board")
    assert path.output == f"{tmp_path / 'engine'}\n"
    assert refusal(board) == "No. (route-not-found, request r)"
    assert shown.output.startswith("Repo: engine, in the workspace Thesis\n")
    if inspects:
        assert (
            "(server)  main    commit changes (2 modified), push 1 commit of main, pull 1 commit"
            in shown.output
        )
    else:
        assert "Checkouts: none is known" in shown.output

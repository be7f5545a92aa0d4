"""A server of a version without machines: what it has inspected itself is shown. JSON of which
nothing is certain: what is no time and no text is absent."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from symphony.client.documents import moment, text
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


@pytest.mark.parametrize("value", [None, 7, "soon", "2026-11-20", "2026-11-20T08:00:00", "\ud800"])
def test_what_is_no_time_is_none(value: Any) -> None:
    assert moment({"at": value}, "at") is None


def test_a_time_is_in_utc() -> None:
    found = moment({"at": "2026-11-20T08:00:00+01:00"}, "at")
    assert found == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert found is not None
    assert found.tzinfo == UTC


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-23:59"])
def test_a_time_outside_of_all_years_is_none(value: str) -> None:
    assert moment({"at": value}, "at") is None


@pytest.mark.parametrize(
    ("value", "found"), [("ä", "ä"), ("a\ud800", ""), ("\U0001f600", "\U0001f600")]
)
def test_a_text_that_is_not_unicode_is_absent(value: str, found: str) -> None:
    assert text({"name": value}, "name") == found

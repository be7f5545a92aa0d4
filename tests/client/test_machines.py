"""Machines by their names, and the tokens with which they report."""

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import refusal
from tests.client.conftest import PASSWORD, Client, User
from tests.client.raw_server import http_answer, raw_server
from tests.client.terminal import in_terminal
from tests.client.test_board import signed_in_at
from tests.support.server import SYMPHONY

MACHINE = {"id": "1", "name": "laptop", "checkout_count": 3, "last_report_at": None}
TOKEN = {"id": "2", "token": "sym_x"}


def status_with(token: str, user: User, path: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{user.url}/api/v1{path}", headers=headers, timeout=30).status_code


@pytest.mark.long
def test_a_machine_is_created_listed_renamed_and_deleted(ada: User, signed_in: Client) -> None:
    assert signed_in("machines", "create", "laptop").output == "Created the machine laptop.\n"
    lines = signed_in("machines", "list").output.splitlines()
    assert lines == ["NAME    CHECKOUTS  LAST REPORT", "laptop  0          never"]
    renamed = signed_in("machines", "rename", "LAPTOP", "think {}")
    assert renamed.output == "The machine is now called think {}.\n"
    [listed] = json.loads(signed_in("machines", "list", "--json").output)["items"]
    assert (listed["name"], listed["checkout_count"]) == ("think {}", 0)
    kept = signed_in("machines", "delete", "think {}", stdin="n\n")
    assert kept.status == 1
    assert "This cannot be undone. [y/N]: " in kept.output
    assert [each["id"] for each in ada.request("GET", "/machines")["items"]] == [listed["id"]]
    deleted = signed_in("machines", "delete", listed["id"], "--yes")
    assert deleted.output == "Deleted the machine think {}; its report tokens were revoked.\n"
    assert ada.request("GET", "/machines")["items"] == []
    line = refusal(signed_in("machines", "delete", "laptop"))
    assert line == "No machine is called 'laptop'. `symphony machines list` shows all of them."


@pytest.mark.long
@pytest.mark.slow_and_real
def test_a_token_created_with_the_password_reports_for_its_machine_also_after_a_logout(
    ada: User, symphony: Client, home: Path, tmp_path: Path
) -> None:
    program = [str(SYMPHONY), "login", ada.url]
    answers = [("User name: ", ada.username), ("Password: ", PASSWORD)]
    assert in_terminal(program, symphony.environment, answers).status == 0
    symphony("machines", "create", "laptop")
    program = [str(SYMPHONY), "machines", "token", "Laptop", "--expires-in-days", "3"]
    question = f"Password of {ada.username}: "
    refused = in_terminal(program, symphony.environment, [(question, "wrong")])
    assert refused.status == 1
    assert "sym_" not in refused.text
    shown = in_terminal(program, symphony.environment, [(question, PASSWORD)])
    assert shown.status == 0, shown.text
    assert PASSWORD not in shown.text
    assert "On laptop:" in shown.text
    token = next(each for each in shown.text.split() if each.startswith("sym_"))
    scripted = ("machines", "token", "laptop", "--name", "a script", "--password-stdin", "--json")
    other = json.loads(symphony(*scripted, stdin=f"{PASSWORD}\n").output)
    created = {each["name"]: each for each in ada.request("GET", "/api-tokens")["items"]}
    assert created["laptop"]["scopes"] == ["report"]
    assert created["laptop"]["expires_at"] is not None
    assert (created["a script"]["id"], other["expires_at"]) == (other["id"], None)
    assert symphony("logout").status == 0
    assert status_with(token, ada, "/user-profiles/me") == 403
    # As the notes say: a login with the token, and a report.
    (tmp_path / "dev").mkdir()
    assert symphony("login", ada.url, "--token", "-", stdin=f"{token}\n").status == 0
    reported = symphony.program("report", "--root", str(tmp_path / "dev"), "--json")
    assert json.loads(reported.output)["machine"]["name"] == "laptop", reported.errors


def scripted(head: bytes) -> bytes:
    """Answers of a server with one machine."""
    answer: Any = {"items": [MACHINE]}
    if head.startswith(b"POST"):
        answer = {"access_token": "x"} if b"/auth/token" in head else TOKEN
    body = json.dumps(answer).encode()
    return http_answer(body, "200 OK", "application/json", "Connection: close")


def test_the_question_before_a_deletion_says_what_is_lost(symphony: Client) -> None:
    with raw_server(scripted) as server:
        signed_in_at(server, symphony.environment)
        kept = symphony("machines", "delete", "laptop")
        assert "Delete the machine laptop with 3 checkouts? What it has reported" in kept.output
        assert refusal_after_question(kept.errors)
        assert not any(head.startswith(b"DELETE") for head in server.heads)


def refusal_after_question(errors: str) -> bool:
    last = "symphony: Nothing was deleted; confirm with y, or use --yes."
    return errors.splitlines()[-1] == last


def test_without_a_terminal_no_password_is_asked_for(symphony: Client) -> None:
    with raw_server(scripted) as server:
        signed_in_at(server, symphony.environment)
        finished = symphony("machines", "token", "laptop")
        assert finished.status == 1
        assert refusal(finished).endswith("use --password-stdin.")
        assert not any(head.startswith(b"POST") for head in server.heads)


def test_a_token_that_cannot_be_printed_is_revoked(symphony: Client) -> None:
    with raw_server(scripted) as server, Path("/dev/full").open("w") as full:
        signed_in_at(server, symphony.environment)
        finished = subprocess.run(  # noqa: S603
            [SYMPHONY, "machines", "token", "laptop", "--password-stdin"],
            env=dict(symphony.environment),
            input="a password\n",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
        assert server.heads[-1].startswith(b"DELETE /api/v1/api-tokens/2 ")
    assert finished.returncode == 1
    assert finished.stderr.endswith("The token was revoked.\n")


def test_a_server_of_a_version_without_machines_is_named_as_the_reason(symphony: Client) -> None:
    body = json.dumps({"code": "route-not-found", "detail": "No."}).encode()
    with raw_server(http_answer(body, "404 No", "application/problem+json")) as server:
        signed_in_at(server, symphony.environment)
        line = refusal(symphony("machines", "list"))
    assert line == f"The server at {server.url} is of a version that has no machines."

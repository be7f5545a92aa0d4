"""Logging in and out: one token a login, kept private, and revoked when it is not used any more."""

import json
import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from symphony.client.signing_in import host_name
from tests.cli.conftest import refusal
from tests.client.conftest import PASSWORD, Client, User
from tests.client.raw_server import http_answer, raw_server
from tests.client.terminal import in_terminal
from tests.support.server import SYMPHONY


def status_of(user: User, token: str) -> int:
    answer = httpx.get(
        f"{user.url}/api/v1/api-tokens/current",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    return answer.status_code


def stored(home: Path) -> dict[str, str]:
    return json.loads((home / ".config" / "symphony" / "credentials.json").read_text())


def answers(user: User, password: str = PASSWORD) -> list[tuple[str, str]]:
    return [("]: ", user.url), ("User name: ", user.username), ("Password: ", password)]


@pytest.mark.long
@pytest.mark.slow_and_real
def test_a_login_creates_a_token_named_after_the_host_and_a_logout_revokes_it(
    ada: User, symphony: Client, home: Path
) -> None:
    shown = in_terminal([str(SYMPHONY), "login"], symphony.environment, answers(ada))
    assert shown.status == 0, shown.text
    assert PASSWORD not in shown.text
    assert f"User: {ada.username}" in shown.text
    file = home / ".config" / "symphony" / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [token] = ada.request("GET", "/api-tokens")["items"]
    assert (token["name"], token["scopes"]) == (host_name(), ["read", "write"])
    secret = stored(home)["token"]
    # A second login replaces the first one, and its token.
    with_secrets = [str(SYMPHONY), "login", ada.url, "--secrets"]
    assert in_terminal(with_secrets, symphony.environment, answers(ada)[1:]).status == 0
    assert status_of(ada, secret) == 401
    [token] = ada.request("GET", "/api-tokens")["items"]
    assert token["scopes"] == ["read", "write", "secrets"]
    signed_out = symphony("logout")
    assert signed_out.output == f"Signed out of {ada.url}; the token was revoked.\n"
    assert ada.request("GET", "/api-tokens")["items"] == []
    assert not file.exists()
    assert refusal(symphony("logout")) == "You are not signed in. Use `symphony login`."


@pytest.mark.long
@pytest.mark.slow_and_real
def test_a_wrong_password_is_refused_with_the_reason_of_the_server(
    ada: User, symphony: Client, home: Path
) -> None:
    shown = in_terminal([str(SYMPHONY), "login"], symphony.environment, answers(ada, "wrong"))
    assert shown.status == 1
    line = shown.text.splitlines()[-1]
    assert line.startswith("symphony: ")
    assert "(invalid-credentials, request " in line
    assert not (home / ".config").exists()


@pytest.mark.long
def test_whoami_shows_the_rights_of_the_token(ada: User, signed_in: Client) -> None:
    shown = signed_in("whoami").output.splitlines()
    assert shown == [
        f"Server: {ada.url}",
        f"User: {ada.username}",
        "API token: test, with read, write",
        "Expires: never",
    ]
    document = json.loads(signed_in("whoami", "--json").output)
    assert document.pop("token").keys() == {
        *("id", "name", "scopes", "expires_at", "workspace_ids", "machine_id")
    }
    assert document == {"url": ada.url, "username": ada.username, "user_profile_id": ada.id}


@pytest.mark.long
def test_a_token_that_was_given_stays_valid_after_a_logout(ada: User, symphony: Client) -> None:
    token = ada.api_token()["token"]
    assert symphony("login", ada.url, "--token", "-", stdin=f"{token}\n").status == 0
    shown = symphony("logout").output
    assert shown == f"Signed out of {ada.url}. The token, which `--token` gave, was not revoked.\n"
    assert status_of(ada, token) == 200


@pytest.mark.long
def test_a_confined_token_signs_in_without_a_user_name(ada: User, symphony: Client) -> None:
    workspace = ada.workspace("Thesis")
    token = ada.api_token(scopes=["read"], workspace_ids=[workspace])["token"]
    shown = symphony("login", ada.url, "--token", token).output
    assert f"User: {ada.id}" in shown
    assert "Confined to: 1 workspace\n" in shown
    assert (
        symphony("workspaces", "list").output
        == "NAME    TYPE     DESCRIPTION\nThesis  general  -\n"
    )


@pytest.mark.long
def test_a_revoked_token_is_refused_with_what_to_do(
    ada: User, symphony: Client, home: Path
) -> None:
    token = ada.api_token()
    symphony("login", ada.url, "--token", token["token"])
    ada.request("DELETE", f"/api-tokens/{token['id']}")
    for arguments in (("whoami",), ("board",), ("repos", "list")):
        line = refusal(symphony(*arguments))
        assert "Sign in with `symphony login`. (unauthenticated, request " in line


def delete_token(ada: User, token: dict[str, Any]) -> None:
    ada.request("DELETE", f"/api-tokens/{token['id']}")


def delete_machine(ada: User, token: dict[str, Any]) -> None:
    ada.request("DELETE", f"/machines/{token['machine_id']}")


def delete_user(ada: User, _: dict[str, Any]) -> None:
    ada.request("DELETE", f"/user-profiles/{ada.id}")


@pytest.mark.long
@pytest.mark.parametrize("created", [False, True])
@pytest.mark.parametrize("delete", [delete_token, delete_machine, delete_user])
def test_a_logout_after_the_token_was_deleted_elsewhere_says_so(
    delete: Callable[[User, dict[str, Any]], None],
    created: bool,  # noqa: FBT001
    ada: User,
    symphony: Client,
    home: Path,
) -> None:
    machine = ada.request("POST", "/machines", {"name": "laptop"})["id"]
    reporting = {"scopes": ["report"], "machine_id": machine} if delete is delete_machine else {}
    token = ada.api_token(**reporting)
    assert symphony("login", ada.url, "--token", token["token"]).status == 0
    file = home / ".config" / "symphony" / "credentials.json"
    file.write_text(json.dumps({**stored(home), "created": created}))
    delete(ada, token)
    if created:
        finished = symphony("logout", "--json")
        shown = json.loads(finished.output)
        assert shown == {"url": ada.url, "revoked": False, "token": "invalid"}
    else:
        finished = symphony("logout")
        assert finished.output.startswith(
            f"Signed out of {ada.url}. The server does not accept its token any more: "
        )
    assert (finished.status, finished.errors) == (0, "")
    assert not file.exists()


@pytest.mark.long
def test_a_logout_as_json_says_what_became_of_the_token(
    ada: User, signed_in: Client, home: Path
) -> None:
    kept = {"url": ada.url, "revoked": False, "token": "kept"}
    login = stored(home)
    assert json.loads(signed_in("logout", "--json").output) == kept
    file = home / ".config" / "symphony" / "credentials.json"
    file.write_text(json.dumps({**login, "created": True}))
    file.chmod(0o600)
    revoked = {"url": ada.url, "revoked": True, "token": "revoked"}
    assert json.loads(signed_in("logout", "--json").output) == revoked
    assert status_of(ada, login["token"]) == 401


def test_a_given_token_is_logged_out_without_the_server(symphony: Client, home: Path) -> None:
    directory = home / ".config" / "symphony"
    directory.mkdir(parents=True)
    file = directory / "credentials.json"
    login = {"url": "http://127.0.0.1:1", "token": "sym_x", "token_id": "1", "created": False}
    file.write_text(json.dumps({**login, "user_profile_id": "1", "username": "ada"}))
    file.chmod(0o600)
    finished = symphony("logout")
    assert (finished.status, finished.errors) == (0, "")
    assert "was not revoked" in finished.output
    assert not file.exists()


@pytest.mark.long
@pytest.mark.parametrize("command", [("login",), ("report", "--root", ".", "--url")])
@pytest.mark.parametrize("kind", ["unknown", "revoked", "expired"])
def test_a_token_of_an_option_that_is_refused_is_named_with_what_to_do(
    command: tuple[str, ...], kind: str, ada: User, symphony: Client, home: Path
) -> None:
    token = "sym_unknown"
    if kind == "revoked":
        created = ada.api_token()
        delete_token(ada, created)
        token = created["token"]
    elif kind == "expired":
        soon = datetime.now(UTC) + timedelta(seconds=1)
        token = ada.api_token(expires_at=soon.isoformat())["token"]
        while status_of(ada, token) == 200:
            pass
    finished = symphony(*command, ada.url, "--token", "-", stdin=f"{token}\n")
    line = refusal(finished)
    why = "has expired" if kind == "expired" else "it does not exist, or has been revoked"
    assert re.match(rf"--token: the API token .*{why}.*\. Check that it is complete, and of", line)
    assert "password" not in line
    assert "symphony login" not in line
    assert token not in line
    assert not (home / ".config").exists()


@pytest.mark.long
def test_an_expired_token_is_refused(ada: User, symphony: Client) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    token = ada.api_token(expires_at=soon.isoformat())["token"]
    symphony("login", ada.url, "--token", token)
    while status_of(ada, token) == 200:
        pass
    assert "expired" in refusal(symphony("board"))


@pytest.mark.long
def test_a_logout_without_the_server_deletes_the_login_and_says_what_is_left(
    ada: User, symphony: Client, home: Path
) -> None:
    symphony("login", ada.url, "--token", ada.api_token()["token"])
    file = home / ".config" / "symphony" / "credentials.json"
    with raw_server(b"") as away:
        file.write_text(json.dumps({**stored(home), "created": True, "url": away.url}))
        finished = symphony("logout")
    assert finished.status == 4
    assert "was not revoked: Cannot reach" in refusal(finished)
    assert not file.exists()


@pytest.mark.long
def test_a_login_that_cannot_be_stored_leaves_no_token(
    ada: User, symphony: Client, home: Path
) -> None:
    (home / ".config").write_text("")
    shown = in_terminal([str(SYMPHONY), "login"], symphony.environment, answers(ada))
    assert shown.status == 1
    assert "Cannot write" in shown.text
    assert ada.request("GET", "/api-tokens")["items"] == []


def test_without_a_terminal_nothing_is_asked(symphony: Client) -> None:
    finished = symphony("login", "http://127.0.0.1:1")
    assert finished.status == 1
    assert refusal(finished).startswith("There is no terminal to ask for")


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("https://a b", "--token", "x"), 2, "'https://a b' is not the address of a server: "),
        (("localhost:8000", "--token", "x"), 2, "'localhost:8000' is not the address of a server"),
        (("http://127.0.0.1:1", "--token", "ü"), 2, "--token: must be an API token, which starts"),
        (("http://127.0.0.1:1", "--token", "x"), 2, "--token: must be an API token, which starts"),
        (
            ("http://127.0.0.1:1", "--token", "sym_x"),
            4,
            "Cannot reach http://127.0.0.1:1: no server",
        ),
        (("http://127.0.0.1:1", "--token", "x", "--secrets"), 2, "--secrets: a token that exists"),
    ],
)
def test_a_login_that_is_not_possible_is_refused(
    arguments: tuple[str, ...], status: int, line: str, symphony: Client
) -> None:
    finished = symphony("login", *arguments)
    assert finished.status == status
    assert refusal(finished).startswith(line)


def test_a_connection_without_encryption_is_warned_of(symphony: Client) -> None:
    finished = symphony("login", "http://symphony.invalid", "--token", "sym_x")
    assert finished.status == 4
    warning, line = finished.errors.splitlines()
    assert warning.startswith("Warning: http://symphony.invalid is not encrypted.")
    assert line.startswith("symphony: Cannot reach http://symphony.invalid: its name is unknown")
    shown = in_terminal(
        [str(SYMPHONY), "login", "http://symphony.invalid"],
        symphony.environment,
        [("Continue? ", "n")],
    )
    assert shown.status == 1
    assert "Nothing was sent; use an address with https://." in shown.text


def test_something_that_is_not_symphony_gets_no_second_request(
    symphony: Client, home: Path
) -> None:
    page = http_answer(b"<html>", media_type="text/html")
    with raw_server(page) as other:
        finished = symphony("login", other.url, "--token", "sym_x")
        assert len(other.heads) == 1
    assert finished.status == 1
    assert "is not one of Symphony" in refusal(finished)
    assert not (home / ".config").exists()


def test_a_server_before_api_tokens_current_is_named_as_the_reason(symphony: Client) -> None:
    problem = http_answer(
        json.dumps({"code": "route-not-found", "detail": "No."}).encode(),
        "404 Not Found",
        "application/problem+json",
    )
    with raw_server(problem) as old:
        line = refusal(symphony("login", old.url, "--token", "sym_x"))
    assert "is of a version that this command cannot use" in line


def test_a_file_that_others_can_read_is_not_used(signed_in: Client, home: Path) -> None:
    file = home / ".config" / "symphony" / "credentials.json"
    file.chmod(0o644)
    assert "has mode 0644" in refusal(signed_in("board"))
    os.truncate(file, 10)
    file.chmod(0o600)
    assert refusal(signed_in("board")).endswith("Use `symphony login` to sign in again.")

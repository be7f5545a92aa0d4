"""`symphony user` and `symphony token` list, reset and delete, on both databases."""

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from symphony.config.settings import load_settings
from tests.cli.conftest import Finished, Symphony, refusal
from tests.support.api import PASSWORD, User, running_api, sign_in
from tests.support.server import environment

NEW_PASSWORD = "another password"
NOBODY = "USERNAME: 'nobody' is not the name or e-mail address of a user."


class Operator:
    """An operator with a database, and a service that runs on it in the meantime."""

    def __init__(self, symphony: Symphony, settings: dict[str, str], data_dir: Path) -> None:
        self._symphony = symphony
        self._settings = settings
        with patch.dict(os.environ, environment(data_dir, **settings)):
            self._loaded = load_settings()
        self.loop = asyncio.Runner()
        self.client: httpx.AsyncClient

    def __call__(self, *arguments: str, stdin: str = "") -> Finished:
        # The command has an event loop of its own, which must not be inside that of the service.
        return self._symphony(*arguments, stdin=stdin, **self._settings)

    def printed(self, *arguments: str, stdin: str = "") -> str:
        """The output of a command that succeeds."""
        finished = self(*arguments, stdin=stdin)
        assert (finished.status, finished.errors) == (0, "")
        return finished.output

    def creates(self, name: str) -> str:
        email = ("--email", f"{name}@example.org")
        created = self.printed(
            "user", "create", name, *email, "--password-stdin", stdin=f"{PASSWORD}\n"
        )
        return created.strip()

    @contextmanager
    def service(self) -> Generator[None]:
        running = running_api(self._loaded)
        self.client = self.loop.run(running.__aenter__())
        try:
            yield
        finally:
            self.loop.run(running.__aexit__(None, None, None))
            self.loop.close()

    def user(self, user_id: str, name: str, password: str = PASSWORD) -> User:
        token = self.loop.run(sign_in(self.client, name, password))
        return User(self.client, user_id, name, token)

    def status(self, name: str, password: str) -> int:
        form = {"username": name, "password": password}
        answer = self.loop.run(self.client.post("/api/v1/auth/token", data=form))
        return answer.status_code


@pytest.fixture(params=["sqlite-file", pytest.param("postgresql", marks=pytest.mark.long)])
def operator(
    symphony: Symphony, data_dir: Path, request: pytest.FixtureRequest
) -> Generator[Operator]:
    settings: dict[str, str] = {}
    if request.param == "postgresql":
        settings = {
            "DATABASE_URL": request.getfixturevalue("empty_postgresql"),
            "SECRET_KEY": "a secret that is only good for tests, and long enough",
        }
    assert symphony("db", "upgrade", **settings).status == 0
    operator = Operator(symphony, settings, data_dir)
    with operator.service():
        yield operator


@pytest.mark.long
def test_users_are_listed_by_name_in_columns(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert operator.printed("user", "list") == "USERNAME  EMAIL  CREATED  WORKSPACES\n"
    monkeypatch.setattr("symphony.cli.users._PAGE", 2)
    ids = {name: operator.creates(name) for name in ("eve", "Ada", "charles", "Bob", "dorothea")}
    operator.loop.run(operator.user(ids["eve"], "eve").workspace())
    header, *lines = operator.printed("user", "list").splitlines()
    assert header.split() == ["USERNAME", "EMAIL", "CREATED", "WORKSPACES"]
    rows = [line.split() for line in lines]
    assert [row[0] for row in rows] == ["Ada", "Bob", "charles", "dorothea", "eve"]
    assert [row[1] for row in rows] == [f"{row[0]}@example.org" for row in rows]
    assert [row[3] for row in rows] == ["0", "0", "0", "0", "1"]
    assert len({line.index(row[1]) for line, row in zip(lines[2:], rows[2:], strict=True)}) == 1


@pytest.mark.long
def test_a_token_is_confined_to_workspaces_by_their_names_or_ids(operator: Operator) -> None:
    ada = operator.user(operator.creates("ada"), "ada")
    eve = operator.user(operator.creates("eve"), "eve")
    one, two, three = [
        operator.loop.run(ada.workspace(name))["id"] for name in ("Acme", "Globex Inc", "Other")
    ]
    foreign = operator.loop.run(eve.workspace("Initech"))["id"]
    create = ("token", "create", "ada", "--name", "agent", "--scope", "read", "--scope", "secrets")
    token = operator.printed(*create, "--workspace", " globex INC ", "--workspace", one).strip()
    agent = ada.using(token)
    listed = operator.loop.run(agent.get(f"/user-profiles/{ada.id}/workspaces")).json()["items"]
    assert {each["id"] for each in listed} == {one, two}
    (shown,) = operator.loop.run(ada.get("/api-tokens")).json()["items"]
    assert (shown["workspace_ids"], shown["scopes"]) == ([one, two], ["read", "secrets"])
    for unknown in ("Initech", foreign, "", "Acm"):
        refused = operator(*create, "--workspace", three, "--workspace", unknown)
        assert refused.status == 1
        assert refusal(refused) == f"--workspace: {unknown!r} is not a workspace of ada."
    alone = operator(*create[:5], "--scope", "secrets")
    assert (alone.status, refusal(alone)) == (
        2,
        "--scope: 'secrets' is invalid; must have `read` or `write` beside `secrets`.",
    )


@pytest.mark.long
def test_a_new_password_replaces_the_old_one_and_ends_a_pause(operator: Operator) -> None:
    operator.creates("ada")
    assert 429 in [operator.status("ada", "wrong password") for _ in range(9)]
    stdin = f"{NEW_PASSWORD}\n"
    printed = operator.printed("user", "set-password", "ada", "--password-stdin", stdin=stdin)
    assert printed == "Set the password of ada.\n"
    assert operator.status("ada", NEW_PASSWORD) == 200
    assert operator.status("ada", PASSWORD) == 401
    prompted = operator("user", "set-password", "ada@example.org", stdin=f"{PASSWORD}\n" * 2)
    assert prompted.status == 0
    assert operator.status("ada", PASSWORD) == 200
    short = operator("user", "set-password", "ada", "--password-stdin", stdin="short\n")
    assert refusal(short) == "--password-stdin: must have 8 to 1,024 characters."
    assert operator.status("ada", PASSWORD) == 200
    assert refusal(operator("user", "set-password", "nobody")) == NOBODY


@pytest.mark.long
def test_a_new_password_ends_access_tokens_and_on_request_api_tokens(operator: Operator) -> None:
    ada = operator.user(operator.creates("ada"), "ada")
    program = ada.using(operator.loop.run(ada.api_token())["token"])

    def statuses() -> list[int]:
        users = (ada, program)
        return [operator.loop.run(each.get("/user-profiles/me")).status_code for each in users]

    assert statuses() == [200, 200]
    for common in ("ADA@example.org", "Password1", "7" * 9):
        set_password = ("user", "set-password", "ada", "--password-stdin")
        refused = operator(*set_password, stdin=f"{common}\n")
        assert refused.status == 2
        assert refusal(refused).startswith("--password-stdin: must not be ")
    assert statuses() == [200, 200]
    stdin = f"{NEW_PASSWORD}\n"
    operator.printed("user", "set-password", "ada", "--password-stdin", stdin=stdin)
    assert statuses() == [401, 200]
    revoke = ("user", "set-password", "ada", "--password-stdin", "--revoke-tokens")
    assert operator.printed(*revoke, stdin=stdin) == "Set the password of ada.\n"
    assert statuses() == [401, 401]


@pytest.mark.long
def test_a_user_with_workspaces_is_deleted_only_by_force(operator: Operator) -> None:
    ada = operator.user(operator.creates("ada"), "ada")
    operator.creates("eve")
    workspace = operator.loop.run(ada.workspace())
    operator.loop.run(ada.repo(workspace["id"]))
    operator.loop.run(ada.vault(workspace["id"]))
    operator.loop.run(ada.api_token())
    refused = operator("user", "delete", "ada", "--yes")
    assert refused.status == 1
    assert refusal(refused) == (
        "ada has 1 workspace; --force deletes them as well, with all repos, vaults and entries."
    )
    question = "Delete ada (ada@example.org) and 1 workspace? This cannot be undone. [y/N]: "
    for answer in ("", "n\n", "\n"):
        undecided = operator("user", "delete", "ada", "--force", stdin=answer)
        assert undecided.status == 1
        assert undecided.output.startswith(question)
        assert undecided.errors == (
            "symphony: Nothing was deleted; confirm with y, or use --yes.\n"
        )
    assert operator.loop.run(ada.get(f"/workspaces/{workspace['id']}")).status_code == 200
    confirmed = operator("user", "delete", "ada", "--force", stdin="y\n")
    assert confirmed.status == 0
    assert confirmed.output.endswith("Deleted ada (ada@example.org) and 1 workspace.\n")
    assert operator.status("ada", PASSWORD) == 401
    assert operator.printed("user", "delete", "eve", "--yes") == "Deleted eve (eve@example.org).\n"
    assert operator.printed("user", "list").count("\n") == 1
    assert refusal(operator("user", "delete", "ada", "--yes")) == NOBODY.replace("nobody", "ada")


@pytest.mark.long
def test_tokens_are_listed_without_the_token_and_revoked_by_id(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = operator.creates("ada")
    assert operator.printed("token", "list", "ada").split() == (
        ["ID", "SCOPES", "CREATED", "LAST", "USED", "EXPIRES", "NAME"]
    )
    create = ("token", "create", "ada", "--scope", "read", "--name")
    tokens = [
        operator.printed(*create, "old laptop").strip(),
        operator.printed(*create, "ci", "--expires-in-days", "7", "--scope", "write").strip(),
        operator.printed(*create, "\N{RIGHT-TO-LEFT OVERRIDE}backup").strip(),
    ]
    monkeypatch.setattr("symphony.cli.tokens._PAGE", 2)
    listed = operator.printed("token", "list", "ada@example.org")
    rows = [line.split(maxsplit=5) for line in listed.splitlines()[1:]]
    assert [row[5] for row in rows] == ["old laptop", "ci", "\\u202ebackup"]
    assert [row[1] for row in rows] == ["read", "read,write", "read"]
    assert [row[4] == "never" for row in rows] == [True, False, True]
    assert not any(token in listed for token in tokens)

    callers = [User(operator.client, user, "ada", token) for token in tokens]
    first = operator.loop.run(callers[0].get("/user-profiles/me"))
    assert first.status_code == 200
    assert operator.printed("token", "list", "ada").splitlines()[1].split()[3] != "never"
    revoked = operator.printed("token", "revoke", rows[0][0])
    assert revoked == f"Revoked the API token {rows[0][0]} (old laptop).\n"
    answers = [operator.loop.run(each.get("/user-profiles/me")) for each in callers]
    assert [each.status_code for each in answers] == [401, 200, 200]
    again = operator("token", "revoke", rows[0][0])
    assert again.status == 1
    assert refusal(again) == f"ID: '{rows[0][0]}' is not the id of an API token."
    assert refusal(operator("token", "list", "nobody")) == NOBODY


def test_a_token_in_place_of_its_id_is_not_repeated(symphony: Symphony) -> None:
    finished = symphony("token", "revoke", "sym_secret")
    assert finished.status == 2
    assert "secret" not in refusal(finished)
    assert "'abc' is invalid" in refusal(symphony("token", "revoke", "abc"))

"""`symphony user` and `symphony token` create profiles and tokens without a running service."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import httpx
import pytest

from symphony.config.settings import load_settings
from tests.cli.conftest import Finished, Symphony, refusal
from tests.support.api import API, PASSWORD, running_api, sign_in
from tests.support.server import environment

pytestmark = pytest.mark.long


@pytest.fixture
def ready(symphony: Symphony, database_settings: dict[str, str]) -> dict[str, str]:
    """The settings for a database whose schema is at head."""
    assert symphony("db", "upgrade", **database_settings).status == 0
    return database_settings


def create_user(symphony: Symphony, settings: dict[str, str], name: str = "ada") -> Finished:
    return symphony(
        *("user", "create", name, "--email", f"{name}@example.org", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
        **settings,
    )


def create_token(symphony: Symphony, settings: dict[str, str], *options: str) -> str:
    finished = symphony("token", "create", "ada", "--name", "laptop", *options, **settings)
    assert finished.status == 0, finished.errors
    token = finished.output.removesuffix("\n")
    assert token.startswith("sym_")
    assert "\n" not in token
    return token


def ask(
    data_dir: Path, settings: dict[str, str], token: str, method: str, path: str, **options: Any
) -> httpx.Response:
    """The response of a service on the same database to a request with the token."""

    async def answer() -> httpx.Response:
        with patch.dict(os.environ, environment(data_dir, **settings)):
            loaded = load_settings()
        async with running_api(loaded) as client:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.request(method, API + path, headers=headers, **options)

    return asyncio.run(answer())


def test_a_new_user_signs_in_with_the_password_from_standard_input(
    symphony: Symphony, ready: dict[str, str], data_dir: Path
) -> None:
    finished = create_user(symphony, ready)
    assert finished.status == 0, finished.errors
    assert UUID(finished.output.strip())
    assert PASSWORD not in finished.output + finished.errors

    async def signed_in() -> str:
        with patch.dict(os.environ, environment(data_dir, **ready)):
            loaded = load_settings()
        async with running_api(loaded) as client:
            return await sign_in(client, "ada")

    assert asyncio.run(signed_in())


def test_the_password_is_prompted_for_twice_and_not_shown(symphony: Symphony) -> None:
    finished = symphony(
        *("user", "create", "ada", "--email", "ada@example.org"), stdin=f"{PASSWORD}\n" * 2
    )
    assert finished.status == 0, finished.errors
    assert PASSWORD not in finished.output + finished.errors


def test_users_can_be_created_while_registration_is_closed(symphony: Symphony) -> None:
    assert create_user(symphony, {"REGISTRATION": "closed"}).status == 0


def test_a_name_that_is_taken_is_refused_in_one_line(
    symphony: Symphony, ready: dict[str, str]
) -> None:
    assert create_user(symphony, ready).status == 0
    assert "taken" in refusal(create_user(symphony, ready))
    # Nobody is asked for a password in vain.
    same_name = symphony("user", "create", "ADA", "--email", "other@example.org", **ready)
    assert refusal(same_name) == "This user name is taken; choose another one."
    same_email = symphony("user", "create", "eve", "--email", "ADA@example.org", **ready)
    assert refusal(same_email) == "A user profile with this e-mail address exists."


def test_invalid_values_are_refused_by_argument_before_the_password_is_read(
    symphony: Symphony,
) -> None:
    finished = symphony("user", "create", "1ada", "--email", "nobody-at-all")
    assert finished.status == 2
    assert refusal(finished) == (
        "USERNAME: '1ada' is invalid; must have 3 to 64 ASCII letters, digits or _, and start with"
        " a letter; --email: 'nobody-at-all' is invalid; must be one e-mail address, such as"
        " ada@example.org."
    )


def test_an_invalid_password_is_refused_and_not_repeated(symphony: Symphony) -> None:
    finished = symphony(
        *("user", "create", "ada", "--email", "ada@example.org", "--password-stdin"),
        stdin="1234567\n",
    )
    assert finished.status == 2
    assert refusal(finished) == "--password-stdin: must have 8 to 1,024 characters."


def test_a_token_is_printed_once_and_works(
    symphony: Symphony, ready: dict[str, str], data_dir: Path
) -> None:
    user = create_user(symphony, ready).output.strip()
    token = create_token(symphony, ready, "--scope", "read", "--scope", "write")
    path = f"/user-profiles/{user}/workspaces"
    assert ask(data_dir, ready, token, "POST", path, json={"name": "Thesis"}).status_code == 201
    assert [each["name"] for each in ask(data_dir, ready, token, "GET", path).json()["items"]] == [
        "Thesis"
    ]
    assert token not in ask(data_dir, ready, token, "GET", "/api-tokens").text


def test_a_token_allows_no_more_than_its_scopes(symphony: Symphony, data_dir: Path) -> None:
    user = create_user(symphony, {}).output.strip()
    token = create_token(symphony, {}, "--scope", "read")
    path = f"/user-profiles/{user}/workspaces"
    assert ask(data_dir, {}, token, "GET", path).status_code == 200
    assert ask(data_dir, {}, token, "POST", path, json={"name": "Thesis"}).status_code == 403


def test_a_token_expires_after_the_given_days(symphony: Symphony, data_dir: Path) -> None:
    create_user(symphony, {})
    token = create_token(symphony, {}, "--scope", "read", "--expires-in-days", "7")
    (shown,) = ask(data_dir, {}, token, "GET", "/api-tokens").json()["items"]
    left = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=7) - timedelta(minutes=5) < left <= timedelta(days=7)


def test_a_token_without_a_lifetime_does_not_expire(symphony: Symphony, data_dir: Path) -> None:
    create_user(symphony, {})
    token = create_token(symphony, {}, "--scope", "read")
    (shown,) = ask(data_dir, {}, token, "GET", "/api-tokens").json()["items"]
    assert shown["expires_at"] is None


def test_a_token_for_an_unknown_user_is_refused(symphony: Symphony, ready: dict[str, str]) -> None:
    finished = symphony("token", "create", "nobody", "--name", "laptop", "--scope", "read", **ready)
    assert refusal(finished) == "USERNAME: 'nobody' is not the name or e-mail address of a user."


def test_a_token_for_reports_is_for_one_machine_by_its_name_or_id(
    symphony: Symphony, ready: dict[str, str], data_dir: Path
) -> None:
    create_user(symphony, ready)
    writer = create_token(symphony, ready, "--scope", "write")
    made = ask(data_dir, ready, writer, "POST", "/machines", json={"name": "Laptop"}).json()
    for given in (made["id"], "laptop"):
        token = create_token(symphony, ready, "--scope", "report", "--machine", given)
        answer = ask(data_dir, ready, token, "GET", f"/machines/{made['id']}")
        assert answer.json() == made
    for options, status, error in (
        (("--scope", "report"), 2, "--machine"),
        (("--scope", "read", "--machine", "laptop"), 2, "--machine"),
        (("--scope", "report", "--machine", "desktop"), 1, "'desktop' is not a machine of ada."),
    ):
        refused = symphony("token", "create", "ada", "--name", "laptop", *options, **ready)
        assert refused.status == status, refused.errors
        assert error in refused.errors
        assert "sym_" not in refused.output


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--scope", "admin"),
        ("--scope", "read", "--expires-in-days", "0"),
        ("--scope", "read", "--expires-in-days", "-1"),
    ],
    ids=["no scope", "an unknown scope", "no days", "days in the past"],
)
def test_invalid_options_of_a_token_are_a_usage_error(
    options: tuple[str, ...], symphony: Symphony
) -> None:
    create_user(symphony, {})
    finished = symphony("token", "create", "ada", "--name", "laptop", *options)
    assert finished.status == 2
    assert "sym_" not in finished.output

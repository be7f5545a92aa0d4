"""Signing in: the questions, the API token that is created, and what it is checked with."""

import sys
import warnings
from contextlib import suppress
from getpass import GetPassWarning
from urllib.parse import quote, urlencode

import typer

from symphony.client.connection import Connection, is_loopback
from symphony.client.credentials import Profile, is_token
from symphony.client.documents import Document, text
from symphony.client.errors import ClientError, ServerProblem, UnexpectedAnswer, WrongArgument
from symphony.client.output import print_note
from symphony.client.resources import expected_object, get
from symphony.client.this_machine import host_name
from symphony.console.questions import is_confirmed
from symphony.console.streams import StreamFailed
from symphony.console.usage import Given

FROM_INPUT = "-"
_MAX_LINE = 4096


def ask(
    question: str,
    *,
    default: str | None = None,
    is_hidden: bool = False,
    remedy: str = "use `symphony login URL --token TOKEN`",
) -> str:
    """Return what is typed at a prompt. Raises: ClientError without a terminal, with the remedy."""
    if not sys.stdin.isatty():
        raise ClientError(f"There is no terminal to ask for: {question}; {remedy}.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)  # the password would be shown
        try:
            return typer.prompt(question, default=default, hide_input=is_hidden, err=True)
        except (typer.Abort, GetPassWarning, StreamFailed):
            typer.echo(err=True)
            raise ClientError("Nothing was typed, so nothing was sent.") from None


def warn_without_encryption(url: str, *, asks: bool) -> None:
    """Warn of a connection that others can read; let a person decide. Raises: ClientError."""
    if url.startswith("https:") or is_loopback(url):
        return
    print_note(
        f"Warning: {url} is not encrypted. Everyone between here and the server can read the"
        " password and the token, and use them."
    )
    if asks and not is_confirmed("Continue?"):
        raise ClientError("Nothing was sent; use an address with https://.")


def create_token(url: str, *, secrets: bool) -> str:
    """Ask for the user name and the password, and create an API token. Raises: ClientError."""
    access = access_token(url, ask("User name"), ask("Password", is_hidden=True))
    scopes = ["read", "write", *(["secrets"] if secrets else [])]
    with Connection(url, access) as connection:
        created = create_api_token(connection, {"name": host_name(), "scopes": scopes})
    return text(created, "token")


def access_token(url: str, username: str, password: str) -> str:
    """Sign in, and return an access token, which expires after an hour. Raises: ClientError."""
    form = {"username": username, "password": password}
    try:
        body = urlencode(form).encode()
    except UnicodeEncodeError:
        raise ClientError("The user name and the password must be text in UTF-8.") from None
    with Connection(url) as connection:
        try:
            answer = connection.request(
                "POST",
                "/auth/token",
                body=body,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
        except ServerProblem as problem:
            asked = {"username": Given("User name", username), "password": Given("Password")}
            problem.name_fields(lambda place: asked.get(place[0]))
            raise
        access = text(expected_object(connection, answer), "access_token")
    if not is_token(access):
        raise _unexpected(url)
    return access


def create_api_token(connection: Connection, fields: Document) -> Document:
    """Create an API token; its `token` can be sent. Raises: ClientError."""
    created = expected_object(connection, connection.request("POST", "/api-tokens", json=fields))
    if not is_token(text(created, "token")):
        raise _unexpected(connection.url)
    return created


def given_token(given: str) -> str:
    """Return the token of an option, or of standard input. Raises: ClientError, StreamFailed."""
    from symphony.domain.api_tokens import TOKEN_PREFIX

    token = (sys.stdin.readline(_MAX_LINE) if given == FROM_INPUT else given).strip()
    if not is_token(token) or not token.startswith(TOKEN_PREFIX):
        raise WrongArgument(f"--token: must be an API token, which starts with {TOKEN_PREFIX}.")
    return token


def verified(url: str, token: str, *, is_new: bool) -> tuple[Profile, Document]:
    """Return the login with a token, and the fields of the token. Raises: ClientError."""
    with Connection(url, token) as connection:
        facts = current_token(connection)
        username = ""
        with suppress(ServerProblem):  # 403 for a token that is confined, or only reports
            username = text(get(connection, "/user-profiles/me"), "username")
    token_id, user_id = text(facts, "id"), text(facts, "user_profile_id")
    if not token_id or not user_id:
        raise _unexpected(url)
    return Profile(url, token, token_id, user_id, username, created=is_new), facts


def current_token(connection: Connection) -> Document:
    """Return the fields of the token of a connection. Raises: ClientError."""
    try:
        return get(connection, "/api-tokens/current")
    except ServerProblem as problem:
        if problem.code == "route-not-found":
            raise ClientError(
                f"The server at {connection.url} is of a version that this command cannot use, or"
                " its address has another path; it has no GET /api-tokens/current."
            ) from None
        raise


def revoke_quietly(url: str, token: str) -> None:
    """Revoke a new token that could not be stored, if that is possible."""
    with suppress(ClientError), Connection(url, token, within=10) as connection:
        token_id = text(current_token(connection), "id")
        connection.request("DELETE", f"/api-tokens/{quote(token_id)}")


def _unexpected(url: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"The answer of {url} is not one of Symphony: it has no token.")

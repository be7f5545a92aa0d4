"""`symphony login`, `logout` and `whoami`: the stored login."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.client.command import Json, signed_in
from symphony.console.tables import counted
from symphony.console.usage import USAGE_ERROR, exit_with

if TYPE_CHECKING:
    from symphony.client.credentials import Profile
    from symphony.client.documents import Document
    from symphony.client.errors import ClientError

DEFAULT_URL = "http://127.0.0.1:8000"
_REVOKED_WITHIN = 10.0  # seconds


def login(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL",
            help=f"Address of the server, such as {DEFAULT_URL}; without it, the command asks.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="Use this API token instead of creating one; - reads it from standard input.",
        ),
    ] = None,
    secrets: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--secrets", help="Also allow unlocking vaults and reading their entries."),
    ] = False,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign in to a server: create an API token named after this host, and store it.

    The former login is replaced, and its token is revoked if a login created it.
    """
    if token is not None and secrets:
        exit_with("--secrets: a token that exists keeps its scopes; omit one option.", USAGE_ERROR)
    from symphony.client import credentials, signing_in
    from symphony.client.connection import checked_url
    from symphony.client.errors import ClientError
    from symphony.client.output import print_note

    server = checked_url(url or _asked_url())
    signing_in.warn_without_encryption(server, asks=token is None)
    if token is None:
        created = signing_in.create_token(server, secrets=secrets)
    else:
        created = signing_in.given_token(token)
    try:
        profile, facts = signing_in.verified(server, created, is_new=token is None)
        former = credentials.store(profile)
    except ClientError:
        if token is None:  # nobody would use it
            signing_in.revoke_quietly(server, created)
        raise
    if former is not None and former.created and former.token != profile.token:
        failure = _revocation_failure(former)
        if failure is not None:
            print_note(f"The token of the former login at {former.url} was not revoked: {failure}")
    _print(profile, facts, as_json=as_json)


def logout(
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Revoke the API token of the login, and delete the login."""
    from symphony.client import credentials
    from symphony.client.errors import DamagedLogin
    from symphony.client.output import print_json, print_line

    try:
        profile = credentials.load()
    except DamagedLogin:
        credentials.delete()
        raise
    failure = _revocation_failure(profile) if profile.created else None
    credentials.delete()
    if failure is not None:
        raise _with_remedy(failure, profile)
    if as_json:
        print_json({"url": profile.url, "revoked": profile.created})
    elif profile.created:
        print_line(f"Signed out of {profile.url}; the token was revoked.")
    else:
        print_line(f"Signed out of {profile.url}. The token, which `--token` gave, stays valid.")


def whoami(
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show the server, the user and the rights of the login."""
    from symphony.client import signing_in

    connection, profile = signed_in()
    with connection:
        facts = signing_in.current_token(connection)
    _print(profile, facts, as_json=as_json)


def _asked_url() -> str:
    from symphony.client import credentials
    from symphony.client.signing_in import ask

    former = credentials.find()
    return ask("Server", default=former.url if former else DEFAULT_URL)


def _revocation_failure(profile: "Profile") -> "ClientError | None":
    """Revoke the token of a login; return why that failed, unless the token is invalid already."""
    from symphony.client.connection import Connection
    from symphony.client.errors import ClientError, ServerProblem

    try:
        with Connection.open(profile, within=_REVOKED_WITHIN) as connection:
            connection.request("DELETE", f"/api-tokens/{profile.token_id}")
    except ServerProblem as problem:
        return None if problem.http_status in {401, 404} else problem
    except ClientError as error:
        return error
    return None


def _with_remedy(failure: "ClientError", profile: "Profile") -> "ClientError":
    from symphony.client.errors import ClientError

    error = ClientError(
        f"The login was deleted, but its API token at {profile.url} was not revoked: {failure}"
        f" Revoke the token {profile.token_id} with another one."
    )
    error.status = failure.status
    return error


def _print(profile: "Profile", facts: "Document", *, as_json: bool) -> None:
    from symphony.client.documents import text, texts
    from symphony.client.output import print_json, print_line

    if as_json:
        names = ("id", "name", "scopes", "expires_at", "workspace_ids", "machine_id")
        print_json(
            {
                "url": profile.url,
                "username": profile.username or None,
                "user_profile_id": profile.user_profile_id,
                "token": {name: facts.get(name) for name in names},
            }
        )
        return
    print_line(f"Server: {profile.url}")
    print_line(f"User: {profile.username or profile.user_profile_id}")
    print_line(f"API token: {text(facts, 'name')}, with {', '.join(texts(facts, 'scopes'))}")
    if facts.get("workspace_ids") is not None:
        print_line(f"Confined to: {counted(len(texts(facts, 'workspace_ids')), 'workspace')}")
    print_line(f"Expires: {text(facts, 'expires_at') or 'never'}")

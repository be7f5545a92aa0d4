"""`symphony login`, `logout` and `whoami`: the stored login."""

from enum import StrEnum
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
_GONE = {"unauthenticated", "api-token-not-found"}


class _End(StrEnum):
    """What has become of the token of a login."""

    REVOKED = "revoked"
    KEPT = "kept"
    INVALID = "invalid"


_END_TEXTS = {
    _End.REVOKED: "; the token was revoked.",
    _End.KEPT: ". The token, which `--token` gave, was not revoked.",
    _End.INVALID: ". The server does not accept its token any more: it has expired, or it, its"
    " machine or its user was deleted.",
}


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
        try:
            _ended(former)
        except ClientError as error:
            print_note(str(error))
    _print(profile, facts, as_json=as_json)


def logout(
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Revoke the API token of the login, and delete the login.

    A token that --token gave stays valid.
    """
    from symphony.client import credentials
    from symphony.client.errors import ClientError, DamagedLogin
    from symphony.client.output import print_json, print_line

    try:
        profile = credentials.load()
    except DamagedLogin:
        credentials.delete()
        raise
    try:
        end = _ended(profile)
    except ClientError:
        credentials.delete()
        raise
    credentials.delete()
    if as_json:
        print_json({"url": profile.url, "revoked": end is _End.REVOKED, "token": end})
    else:
        print_line(f"Signed out of {profile.url}{_END_TEXTS[end]}")


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


def _ended(profile: "Profile") -> "_End":
    """Revoke the token of a login if a login created it; return what has become of the token.

    Raises: ClientError when it was not revoked.
    """
    from symphony.client.connection import Connection
    from symphony.client.errors import ClientError, ServerProblem
    from symphony.client.signing_in import current_token

    try:
        with Connection.open(profile, within=_REVOKED_WITHIN) as connection:
            if profile.created:
                connection.request("DELETE", f"/api-tokens/{profile.token_id}")
                return _End.REVOKED
            current_token(connection)
            return _End.KEPT
    except ClientError as error:
        if isinstance(error, ServerProblem) and error.code in _GONE:
            return _End.INVALID
        if profile.created:
            raise _with_remedy(error, profile) from None
        return _End.KEPT


def _with_remedy(failure: "ClientError", profile: "Profile") -> "ClientError":
    from symphony.client.errors import ClientError

    error = ClientError(
        f"The login at {profile.url} was removed, but its API token was not revoked: {failure}"
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

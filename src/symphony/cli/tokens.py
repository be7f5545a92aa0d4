"""`symphony token`: the API tokens of users, for operators."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.cli.execution import Refused, run, with_application
from symphony.console.streams import StreamFailed
from symphony.console.tables import Table, print_result, timestamp
from symphony.console.usage import USAGE_ERROR, Given, exit_with, group_of_commands
from symphony.domain.reach import Scope

if TYPE_CHECKING:
    from uuid import UUID

    from symphony.application.app import Application
    from symphony.domain.api_tokens import ApiToken

group = group_of_commands("Manage API tokens.")

_PAGE = 200  # tokens that are read at once

Owner = Annotated[
    str,
    typer.Argument(metavar="USERNAME", help="User name or e-mail address of the owner."),
]


@group.command("create")
def create_token_command(
    username: Owner,
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Name of the token, for example the machine that uses it."
        ),
    ],
    scope: Annotated[list[Scope], typer.Option(help="What the token allows; repeatable.")],
    workspace: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORKSPACE",
            help="Name or id of a workspace to which the token is confined; repeatable. Without"
            " it, the token reaches all workspaces.",
        ),
    ] = None,
    machine: Annotated[
        str | None,
        typer.Option(
            metavar="MACHINE",
            help="Name or id of the machine that reports with the token; required with the scope"
            " report, and only then allowed.",
        ),
    ] = None,
    expires_in_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=36_500,
            metavar="DAYS",
            help="Lifetime in days; without it, the token does not expire.",
        ),
    ] = None,
) -> None:
    """Create an API token and print it; it is not shown again."""
    from datetime import timedelta

    from symphony.application.api_tokens import (
        CreateApiToken,
        RevokeApiToken,
        create_api_token,
        revoke_api_token,
    )
    from symphony.cli.accounts import find_machine, find_user, find_workspace
    from symphony.domain.api_tokens import new_api_token
    from symphony.domain.base import utc_now
    from symphony.domain.reach import Reach

    async def create(application: "Application") -> None:
        user = await find_user(username, application)
        inside = [await find_workspace(each, user, application) for each in workspace or ()]
        reporting = None if machine is None else await find_machine(machine, user, application)
        token = new_api_token()
        lifetime = None if expires_in_days is None else timedelta(days=expires_in_days)
        on_behalf = application.on_behalf_of(user.id)
        created = await on_behalf.run(
            create_api_token,
            CreateApiToken(
                actor=user.id,
                token=token,
                name=name,
                scopes=tuple(scope),
                expires_at=None if lifetime is None else utc_now() + lifetime,
                workspace_ids=inside or None,
                machine_id=reporting,
            ),
        )
        try:
            typer.echo(token)
        except StreamFailed as error:
            # Nobody has seen it, and it cannot be shown again.
            await on_behalf.run(revoke_api_token, RevokeApiToken(Reach(user.id), created.id))
            raise StreamFailed(f"{error} The token was revoked.") from None

    given = {"name": Given("--name", name), "scopes": Given("--scope", ",".join(scope))}
    found = {"workspace_ids": Given("--workspace"), "machine_id": Given("--machine")}
    run(with_application(create), given | found)


@group.command("list")
def list_tokens_command(username: Owner) -> None:
    """List the API tokens of a user, the oldest first; the tokens themselves are not stored."""
    from symphony.application.api_tokens import ListApiTokens, list_api_tokens
    from symphony.cli.accounts import find_user
    from symphony.domain.base import PageRequest

    table = Table("ID", "SCOPES", "CREATED", "LAST USED", "EXPIRES", "NAME")

    async def print_list(application: "Application") -> None:
        user = await find_user(username, application)
        request = PageRequest(limit=_PAGE)
        while True:
            page = await application.ask(list_api_tokens, ListApiTokens(user.id, request))
            typer.echo(table.lines(map(_row, page.items)))
            if page.next is None:
                return
            request = PageRequest(limit=_PAGE, after=page.next)

    run(with_application(print_list))


@group.command("revoke")
def revoke_token_command(
    token_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Id of the token, as `symphony token list` prints it."),
    ],
) -> None:
    """Revoke an API token and all tokens that it created; they are refused from now on."""
    from symphony.application.api_tokens import (
        FindApiTokenById,
        RevokeApiToken,
        find_api_token_by_id,
        revoke_api_token,
    )
    from symphony.domain.reach import Reach

    wanted = _parsed(token_id)

    async def revoke(application: "Application") -> "ApiToken":
        token = await application.ask(find_api_token_by_id, FindApiTokenById(wanted))
        if token is None:
            raise Refused(f"ID: {token_id!r} is not the id of an API token.")
        owner = token.user_profile_id
        command = RevokeApiToken(Reach(owner), token.id)
        await application.on_behalf_of(owner).run(revoke_api_token, command)
        return token

    revoked = run(with_application(revoke))
    print_result(f"Revoked the API token {revoked.id} ({revoked.name}).")


def _parsed(token_id: str) -> "UUID":
    from uuid import UUID

    from symphony.domain.api_tokens import TOKEN_PREFIX

    try:
        return UUID(token_id)
    except ValueError:
        # A token in place of its id stays out of logs and screenshots.
        is_secret = token_id.startswith(TOKEN_PREFIX)
        given = Given("ID", None if is_secret else token_id)
        allowed = "must be the id of an API token, as `symphony token list` prints it."
        exit_with(given.refused(allowed), USAGE_ERROR)


def _row(token: "ApiToken") -> tuple[str, ...]:
    return (
        str(token.id),
        ",".join(token.scopes),
        timestamp(token.created_at),
        timestamp(token.last_used_at),
        timestamp(token.expires_at),
        token.name,
    )

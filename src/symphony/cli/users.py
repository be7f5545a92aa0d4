"""`symphony user`: the accounts of users, for operators."""

from typing import TYPE_CHECKING, Annotated

import typer

from symphony.cli.execution import run, with_application
from symphony.console.passwords import STDIN_OPTION, read_new_password
from symphony.console.questions import is_confirmed
from symphony.console.tables import Table, counted, print_result, timestamp
from symphony.console.usage import Given, exit_with, group_of_commands

if TYPE_CHECKING:
    from uuid import UUID

    from symphony.application.app import Application
    from symphony.domain.user_profiles import UserProfile

group = group_of_commands("Manage user profiles.")

_PAGE = 500  # users that are read at once

Login = Annotated[
    str, typer.Argument(metavar="USERNAME", help="User name or e-mail address of the user.")
]
PasswordStdin = Annotated[
    bool,
    typer.Option(STDIN_OPTION, help="Read the password from standard input instead of prompting."),
]


@group.command("create")
def create_user_command(
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="User name to sign in with.")],
    email: Annotated[
        str, typer.Option(metavar="ADDRESS", help="E-mail address; no mail is sent to it.")
    ],
    password_stdin: PasswordStdin = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Create a user profile and print its id; also works while registration is closed."""
    from symphony.application.orchestrations.sign_up import SignUp, create_user
    from symphony.application.user_profiles import (
        CheckUserProfileCreation,
        check_user_profile_creation,
    )

    given = {"username": Given("USERNAME", username), "email": Given("--email", email)}

    async def check(application: "Application") -> None:
        await application.ask(
            check_user_profile_creation, CheckUserProfileCreation(username, email)
        )

    async def create(application: "Application") -> "UUID":
        return (await create_user(SignUp(username, email, password), application)).id

    run(with_application(check), given)
    password = read_new_password(from_stdin=password_stdin)
    created = run(with_application(create), given | _password(from_stdin=password_stdin))
    print_result(str(created))


@group.command("list")
def list_users_command() -> None:
    """List all users in the order of their names."""
    from symphony.application.user_profiles import ListUsers, list_users

    table = Table("USERNAME", "EMAIL", "CREATED", "WORKSPACES")

    async def print_list(application: "Application") -> None:
        after = ""
        while users := await application.ask(list_users, ListUsers(after, _PAGE)):
            rows = [
                (each.username, each.email, timestamp(each.created_at), str(each.workspace_count))
                for each in users
            ]
            typer.echo(table.lines(rows))
            after = users[-1].username
        if not after:
            typer.echo(table.lines([]))

    run(with_application(print_list))


@group.command("set-password")
def set_password_command(
    username: Login,
    password_stdin: PasswordStdin = False,  # noqa: FBT002 - a flag of the command line
    revoke_tokens: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--revoke-tokens", help="Also revoke all API tokens of the user.")
    ] = False,
) -> None:
    """Set a user's password, and forget the failed sign-ins of the user.

    Revokes the access tokens of the user; API tokens stay valid without --revoke-tokens.
    """
    from symphony.application.orchestrations.password_reset import SetPassword, set_password
    from symphony.cli.accounts import find_user

    async def find(application: "Application") -> "UserProfile":
        return await find_user(username, application)

    async def apply(application: "Application") -> None:
        command = SetPassword(user.id, password, revoke_api_tokens=revoke_tokens)
        await set_password(command, application.on_behalf_of(user.id))

    user = run(with_application(find))
    password = read_new_password(from_stdin=password_stdin)
    run(with_application(apply), _password(from_stdin=password_stdin))
    print_result(f"Set the password of {user.username}.")


@group.command("delete")
def delete_user_command(
    username: Login,
    force: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option(
            "--force", help="Also delete the user's workspaces, with all repos, vaults and entries."
        ),
    ] = False,
    yes: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--yes", help="Do not ask for confirmation.")
    ] = False,
) -> None:
    """Delete a user profile with its API tokens; directories on disk are not changed."""
    from symphony.application.user_profiles import (
        CountWorkspaces,
        DeleteUserProfile,
        count_workspaces,
        delete_user_profile,
    )
    from symphony.cli.accounts import find_user

    async def find(application: "Application") -> "tuple[UserProfile, int]":
        user = await find_user(username, application)
        return user, await application.ask(count_workspaces, CountWorkspaces(user.id))

    async def delete(application: "Application") -> None:
        command = DeleteUserProfile(user.id, user.id, force=force)
        await application.run(delete_user_profile, command)

    user, workspaces = run(with_application(find))
    contents = counted(workspaces, "workspace")
    if workspaces and not force:
        exit_with(
            f"{user.username} has {contents}; --force deletes them as well, with all repos, vaults"
            " and entries."
        )
    subject = f"{user.username} ({user.email})" + (f" and {contents}" if workspaces else "")
    if not yes and not is_confirmed(f"Delete {subject}? This cannot be undone."):
        exit_with("Nothing was deleted; confirm with y, or use --yes.")
    run(with_application(delete))
    print_result(f"Deleted {subject}.")


def _password(*, from_stdin: bool) -> dict[str, Given]:
    return {"password": Given(STDIN_OPTION if from_stdin else "Password")}

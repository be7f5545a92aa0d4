"""What the commands of the client have in common: their errors, and options that several have."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony.client.commands.completion import (
    complete_machine,
    complete_repo,
    complete_workspace,
)
from symphony.console.streams import ReaderEnded
from symphony.console.usage import Given, QuickCommand, exit_with, given_parameters, require_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symphony.client.connection import Connection
    from symphony.client.credentials import Profile
    from symphony.client.errors import ServerProblem

PANEL = "Commands of the client, for users (first: symphony login)"
READER_ENDED = 141  # 128 and the number of SIGPIPE, as for programs that the signal ends

_TOKEN = "token"  # noqa: S105 - the name of an option
_PARAMETERS: "Mapping[str, Sequence[str]]" = {
    "expires_at": ["expires_in_days"],
    "machine_id": ["machine"],
    "name": ["name", "machine", "directory"],
    "q": ["repo"],
    "remote_url": ["remote"],
    "roots": ["root"],
    "workspace_id": ["workspace"],
}
"""Which parameters become a field of the API, unless one has its name; the first that was given."""

Json = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON, in a form that stays stable.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="The new name.")]
ExistingMachine = Annotated[
    str,
    typer.Argument(
        metavar="MACHINE", help="Name or id of the machine.", autocompletion=complete_machine
    ),
]
ExistingRepo = Annotated[
    str,
    typer.Argument(
        metavar="REPO",
        help="Name of the repo, WORKSPACE/NAME, or its id.",
        autocompletion=complete_repo,
    ),
]
ExistingWorkspace = Annotated[
    str,
    typer.Argument(
        metavar="WORKSPACE", help="Name or id of the workspace.", autocompletion=complete_workspace
    ),
]


def workspace_option(help_text: str) -> Any:
    """Return an option that takes the name or the id of a workspace."""
    return typer.Option(metavar="WORKSPACE", help=help_text, autocompletion=complete_workspace)


class ClientCommand(QuickCommand):
    """A command that prints a failure as one line, and exits with its status.

    When the reader of its output has ended, it ends without a message.
    """

    def invoke(self, ctx: typer.Context) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        from symphony.client.errors import ClientError, ServerProblem

        require_texts(ctx)
        try:
            return super().invoke(ctx)
        except ClientError as error:
            if isinstance(error, ServerProblem):
                _name_given(error, ctx)
            exit_with(str(error), error.status)
        except ReaderEnded:
            sys.exit(READER_ENDED)


def _name_given(problem: "ServerProblem", context: typer.Context) -> None:
    """Name the arguments and options of the command in place of the fields of the API."""
    given = given_parameters(context)

    def given_for(place: "Sequence[str]") -> Given | None:
        names = _PARAMETERS.get(place[0], place[:1])
        return next((given[each] for each in names if each in given), None)

    problem.name_fields(given_for)
    if _TOKEN in given:
        problem.name_token(Given(given[_TOKEN].name))


def signed_in(*, within: float | None = None) -> "tuple[Connection, Profile]":
    """Open a connection with the stored login; `within` limits each request, in seconds.

    Raises: NotSignedIn.
    """
    from symphony.client import credentials
    from symphony.client.connection import ANSWER_WITHIN, Connection

    profile = credentials.load()
    return Connection.open(profile, within=within or ANSWER_WITHIN), profile

"""What the commands of the client have in common: their errors, and options that several have."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony.console.streams import ReaderEnded
from symphony.console.usage import QuickCommand, exit_with

if TYPE_CHECKING:
    from symphony.client.connection import Connection
    from symphony.client.credentials import Profile

PANEL = "Commands of the client, for users (first: symphony login)"
READER_ENDED = 141  # 128 and the number of SIGPIPE, as for programs that the signal ends

Json = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON, in a form that stays stable.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


class ClientCommand(QuickCommand):
    """A command that prints a failure as one line, and exits with its status.

    When the reader of its output has ended, it ends without a message.
    """

    def invoke(self, ctx: typer.Context) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        from symphony.client.errors import ClientError

        try:
            return super().invoke(ctx)
        except ClientError as error:
            exit_with(str(error), error.status)
        except ReaderEnded:
            sys.exit(READER_ENDED)


def signed_in(*, within: float | None = None) -> "tuple[Connection, Profile]":
    """Open a connection with the stored login; `within` limits each request, in seconds.

    Raises: NotSignedIn.
    """
    from symphony.client import credentials
    from symphony.client.connection import ANSWER_WITHIN, Connection

    profile = credentials.load()
    return Connection.open(profile, within=within or ANSWER_WITHIN), profile

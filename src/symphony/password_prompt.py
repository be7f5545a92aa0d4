"""The prompt for a new password."""

import warnings
from getpass import GetPassWarning

import typer

from symphony.console import StreamFailed


def ask_new_password() -> str:
    """Ask twice, without showing what is typed. Raises: StreamFailed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)  # the password would be shown
        try:
            return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        except (typer.Abort, GetPassWarning, StreamFailed):
            typer.echo(err=True)  # the cursor stands behind the prompt
            raise StreamFailed(
                "Cannot read the password from a terminal; use --password-stdin."
            ) from None

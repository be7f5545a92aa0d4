"""Questions to the person at the terminal."""

import typer

from symphony.console.streams import StreamFailed


def is_confirmed(question: str) -> bool:
    """Ask a question that y confirms; without an answer it is not confirmed."""
    try:
        return typer.confirm(question)
    except (typer.Abort, StreamFailed):  # standard input has ended, or is closed
        typer.echo()
        return False

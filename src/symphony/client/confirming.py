"""Questions before something is deleted."""

from symphony.client.errors import ClientError
from symphony.console.questions import is_confirmed
from symphony.console.streams import printable


def require_confirmation(question: str, *, yes: bool) -> None:
    """Ask unless it was said already. Raises: ClientError when it is not confirmed."""
    if not yes and not is_confirmed(printable(question)):
        raise ClientError("Nothing was deleted; confirm with y, or use --yes.")

"""The reach of a caller: a user's resources, or only those in some workspaces."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from symphony.domain.errors import Forbidden


class Scope(StrEnum):
    """A permission of an API token.

    - `read`, `write`: to read or to write everything but secrets.
    - `secrets`: to unlock vaults, and to read or write their entries and passphrases, as far as
      `read` and `write` allow. Never alone.
    - `report`: to report what one machine has. Always alone.
    """

    READ = "read"
    WRITE = "write"
    SECRETS = "secrets"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a caller may look up, list, count and write.

    It is everything that a user owns, or, with `confined_by`, the id of an API token that is
    confined to workspaces, only these workspaces and their contents. Anything else does not exist
    for the caller.
    """

    user_id: UUID
    confined_by: UUID | None = None

    def require_unconfined(self) -> None:
        """Require a caller who may write what is the user's as a whole.

        Raises: InsufficientScope.
        """
        if self.confined_by is not None:
            raise confined(["write"])


class InsufficientScope(Forbidden):
    """The caller's token does not allow the request; `needed` are the scopes that it needs."""

    def __init__(self, detail: str, needed: Iterable[str]) -> None:
        super().__init__("insufficient-scope", detail)
        self.needed = tuple(needed)


def confined(needed: Iterable[str]) -> InsufficientScope:
    """The error of a confined token for what concerns the user as a whole."""
    detail = "This request requires a token that is not confined to workspaces."
    return InsufficientScope(detail, needed)

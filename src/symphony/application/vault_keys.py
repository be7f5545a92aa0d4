"""The use case of another master key."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.domain.vault_keys import Swept

_BATCH = 100
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many keys were wrapped anew, and of which vaults they could not be opened."""

    wrapped: int
    unopened: Sequence[UUID]


class KeysLeftBehind(Exception):
    """Some keys could not be opened, so the older master keys may still be needed."""

    def __init__(self, done: Rewrapped) -> None:
        super().__init__(done)
        self.done = done


async def rewrap_vault_keys(app: Application) -> Rewrapped:
    """Wraps every vault's key under the first master key, a batch at a time.

    What was interrupted is continued by the next run. Raises: MasterKeyMissing, KeysLeftBehind.
    """
    wrapped, unopened, after = 0, list[UUID](), _BEFORE_ALL
    with app.keyring.master_keys.changing():
        while swept := await app.run(_wrap_anew, after):
            wrapped += swept.wrapped
            unopened += swept.unopened
            after = swept.last
        done = Rewrapped(wrapped, unopened)
        if unopened:
            raise KeysLeftBehind(done)
    return done


async def _wrap_anew(after: UUID, services: Services) -> Swept | None:
    return await services.vault_keys.wrap_anew(after, _BATCH)

"""The use case of another master key."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application, Services
from symphony.domain.vaults.keys import RewrapBatch

_BATCH = 100
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class RewrapResult:
    """How many keys were wrapped anew, and of which vaults they could not be opened."""

    wrapped: int
    unopened: Sequence[UUID]


class UnopenedKeys(Exception):
    """Some keys could not be opened, so the older master keys may still be needed."""

    def __init__(self, done: RewrapResult) -> None:
        super().__init__(done)
        self.done = done


async def rewrap_vault_keys(app: Application) -> RewrapResult:
    """Wraps every vault's key under the first master key, a batch at a time.

    What was interrupted is continued by the next run. Raises: MasterKeyMissing, UnopenedKeys.
    """
    wrapped, unopened, after = 0, list[UUID](), _BEFORE_ALL
    with app.keyring.master_keys.changing():
        while swept := await app.run(_rewrap_batch, after):
            wrapped += swept.wrapped
            unopened += swept.unopened
            after = swept.last
        done = RewrapResult(wrapped, unopened)
        if unopened:
            raise UnopenedKeys(done)
    return done


async def _rewrap_batch(after: UUID, services: Services) -> RewrapBatch | None:
    return await services.vault_keys.rewrap_batch(after, _BATCH)

"""The rewrap of all vault keys under the first master key, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from symphony.application.app import Application
from symphony.application.vaults.keys import RewrapVaultKeys, rewrap_vault_keys

_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class RewrapAll:
    """Rewrap all keys; each batch of `batch` keys is a transaction of its own."""

    batch: int = 100


@dataclass(frozen=True, slots=True)
class RewrapResult:
    """The number of rewrapped keys, and the vaults whose keys could not be unwrapped."""

    rewrapped: int
    failed: Sequence[UUID]


class RewrapIncomplete(Exception):
    """Some keys could not be unwrapped, so older master keys may still be needed."""

    def __init__(self, result: RewrapResult) -> None:
        super().__init__(result)
        self.result = result


async def rewrap_all(command: RewrapAll, app: Application) -> RewrapResult:
    """Rewrap every vault's key; the next run continues one that was interrupted.

    Raises: MasterKeyMissing, RewrapIncomplete.
    """
    rewrapped, failed, after = 0, list[UUID](), _BEFORE_ALL
    with app.keyring.master_keys.changing():
        while batch := await app.run(rewrap_vault_keys, RewrapVaultKeys(after, command.batch)):
            rewrapped += batch.rewrapped
            failed += batch.failed
            after = batch.last
        result = RewrapResult(rewrapped, failed)
        if failed:
            raise RewrapIncomplete(result)
    return result

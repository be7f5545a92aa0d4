"""Vaults whose entries are written at random while the service is killed, and their verification.

One vault has a passphrase, the other is encrypted under the master key of the service. They belong
to a user of their own, so no other writer deletes them.
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from scripts.chaos.calls import Calls, Unanswered, Violation
from scripts.chaos.model import Model, User

ENTRIES = 8  # in each vault
KEPT = 10  # versions of an entry
TTL = 3600  # seconds; no session expires during a run
_LOCKED = "423 vault-locked"

State = tuple[str, ...]
"""The contents of an entry by version, from version 1; () when it does not exist."""


@dataclass(eq=False, slots=True)
class Vault:
    """A vault, as it was last acknowledged."""

    user: User
    id: str
    passphrase: str | None
    perhaps: str | None = None
    """The passphrase, if the update that was never answered was stored."""
    session: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is locked or unlocked, or its passphrase is updated."""

    @property
    def path(self) -> str:
        return f"/vaults/{self.id}"

    @property
    def headers(self) -> dict[str, str]:
        session = {} if self.session is None else {"Vault-Session": self.session}
        return self.user.headers | session


@dataclass(eq=False, slots=True)
class Entry:
    """An entry, as it was last acknowledged. One request at a time writes it."""

    vault: Vault
    key: str
    state: State = ()
    perhaps: State | None = None
    """Its state, if the write that was never answered was stored."""
    is_busy: bool = False

    @property
    def path(self) -> str:
        return f"{self.vault.path}/entries/{self.key}"


class Vaults:
    """Writes entries of vaults, and compares what is stored with what was acknowledged."""

    def __init__(
        self, vaults: list[Vault], model: Model, calls: Calls, chance: random.Random
    ) -> None:
        self.entries = [
            Entry(vault, f"notes/{number}") for vault in vaults for number in range(ENTRIES)
        ]
        self._vaults = vaults
        self._model = model
        self._calls = calls
        self._chance = chance

    async def write_something(self) -> None:
        """Raises: Unanswered, NotSent, Violation."""
        entry = self._chance.choice(self.entries)
        vault, dice = entry.vault, self._chance.random()
        if vault.passphrase is not None and vault.session is None:
            await self._unlock(vault)
        elif vault.passphrase is not None and dice < 0.03:
            await self._update_passphrase(vault)
        elif vault.passphrase is not None and dice < 0.06:
            await self._lock(vault)
        elif not entry.is_busy and entry.perhaps is None:
            entry.is_busy = True
            try:
                await self._write(entry)
            finally:
                entry.is_busy = False

    async def verify(self) -> int:
        """Settle what is in doubt, and read all stored versions; returns their number.

        There must be no writes in the meantime. Raises: Violation.
        """
        for vault in self._vaults:
            if vault.passphrase is not None:
                await self._open(vault)
        return sum(await asyncio.gather(*map(self._verify, self.entries)))

    async def _write(self, entry: Entry) -> None:
        dice, newest = self._chance.random(), len(entry.state)
        if newest and dice < 0.1:
            await self._change(entry, (), "DELETE", entry.path, "204")
        elif newest and dice < 0.2:
            version = self._chance.randint(max(1, newest - KEPT + 1), newest)
            after = (*entry.state, entry.state[version - 1])
            path = f"{entry.vault.path}/restore/{entry.key}"
            await self._change(entry, after, "POST", path, "200", {"version": version})
        else:
            content = f"content-{next(self._model.numbers)}"
            after = (*entry.state, content)
            success = "200" if newest else "201"
            await self._change(entry, after, "PUT", entry.path, success, {"content": content})

    async def _change(
        self,
        entry: Entry,
        after: State,
        method: str,
        path: str,
        success: str,
        body: dict[str, Any] | None = None,
    ) -> None:
        vault = entry.vault
        session = vault.session
        expected = (success,) if vault.passphrase is None else (success, _LOCKED)
        try:
            answer = await self._calls.send(
                method, path, expected, headers=vault.headers, json=body
            )
        except Unanswered:
            entry.perhaps = after
            self._model.in_doubt += 1
            raise
        if answer.status_code == 423:
            if vault.session == session:
                vault.session = None
            return
        if after and answer.json()["version"] != len(after):
            raise Violation(f"{method} {path}: not version {len(after)}: {answer.text}")
        entry.state = after
        self._model.acknowledged += 1

    async def _unlock(self, vault: Vault) -> None:
        async with vault.lock:
            if vault.session is not None or vault.perhaps is not None:
                return  # another writer was first, or the passphrase is in doubt
            path = f"{vault.path}/unlock"
            body = {"passphrase": vault.passphrase, "ttl_seconds": TTL}
            answer = await self._calls.send(
                "POST", path, ("200",), headers=vault.headers, json=body
            )
            vault.session = answer.json()["session"]

    async def _lock(self, vault: Vault) -> None:
        async with vault.lock:
            await self._calls.send("POST", f"{vault.path}/lock", ("200",), headers=vault.headers)
            vault.session = None

    async def _update_passphrase(self, vault: Vault) -> None:
        async with vault.lock:
            if vault.perhaps is not None:
                return
            new = f"passphrase-{next(self._model.numbers)}"
            path, body = f"{vault.path}/passphrase", {"old": vault.passphrase, "new": new}
            try:
                await self._calls.send("PUT", path, ("204",), headers=vault.headers, json=body)
            except Unanswered:
                vault.perhaps = new
                self._model.in_doubt += 1
                raise
            self._model.acknowledged += 1
            vault.passphrase, vault.session = new, None

    async def _open(self, vault: Vault) -> None:
        """Unlock with the acknowledged passphrase, or with the one in doubt. Raises: Violation."""
        # Most updates in doubt were not stored, and after four wrong passphrases there are pauses.
        if not await self._opens(vault, vault.passphrase):
            if vault.perhaps is None or not await self._opens(vault, vault.perhaps):
                raise Violation(f"{vault.path}: its passphrase does not unlock it")
            self._model.done_in_doubt += 1
            vault.passphrase = vault.perhaps
        vault.perhaps = None

    async def _opens(self, vault: Vault, passphrase: str | None) -> bool:
        path, body = f"{vault.path}/unlock", {"passphrase": passphrase, "ttl_seconds": TTL}
        expected = ("200", "403 wrong-passphrase", "429 too-many-attempts")
        while True:
            answer = await self._calls.settle(
                "POST", path, expected, headers=vault.headers, json=body
            )
            if answer.status_code != 429:
                break
            await asyncio.sleep(int(answer.headers["Retry-After"]))
        if answer.status_code == 200:
            vault.session = answer.json()["session"]
        return answer.status_code == 200

    async def _verify(self, entry: Entry) -> int:
        read = await self._read(entry)
        if entry.perhaps is not None and read == _kept(entry.perhaps):
            self._model.done_in_doubt += 1
            entry.state = entry.perhaps
        elif read != _kept(entry.state):
            expected = (
                f"acknowledged was {_kept(entry.state)}, in doubt {_kept(entry.perhaps or ())}"
            )
            raise Violation(f"{entry.path}: {read} is stored, {expected}")
        entry.perhaps = None
        return len(read)

    async def _read(self, entry: Entry) -> dict[int, str]:
        """The stored contents of an entry, by version."""
        vault, absent = entry.vault, "404 entry-not-found"
        newest = await self._get(vault, entry.path, "200", absent)
        listed = await self._get(vault, f"{vault.path}/versions/{entry.key}", "200", absent)
        if newest is None or listed is None:
            if newest != listed:
                raise Violation(f"{entry.path}: {newest}, but of its versions: {listed}")
            return {}
        versions: list[int] = [each["version"] for each in listed["items"]]
        found = [
            await self._get(vault, f"{entry.path}?version={version}", "200") for version in versions
        ]
        if newest != found[0]:
            raise Violation(f"{entry.path}: {newest}, but the first of its versions: {found[0]}")
        return {version: each["content"] for version, each in zip(versions, found, strict=True)}

    async def _get(self, vault: Vault, path: str, *expected: str) -> Any:
        """The JSON of an answer; None for what does not exist."""
        answer = await self._calls.settle("GET", path, expected, headers=vault.headers)
        return answer.json() if answer.status_code == 200 else None


def _kept(state: State) -> dict[int, str]:
    return dict(list(enumerate(state, start=1))[: -KEPT - 1 : -1])


async def create_vaults(user: User, calls: Calls) -> list[Vault]:
    """Create a vault of either protection for a new user. Raises: Violation."""

    async def create(path: str, body: dict[str, Any]) -> str:
        answer = await calls.send("POST", path, ("201",), headers=user.headers, json=body)
        return answer.json()["id"]

    workspace = await create(f"{user.path}/workspaces", {"name": "secrets"})
    vaults = list[Vault]()
    for passphrase in (None, "first-passphrase"):
        protection = {"protection": "none" if passphrase is None else "passphrase"}
        body = {"name": f"vault {len(vaults)}", "path": "~/vault", **protection}
        secret = {} if passphrase is None else {"passphrase": passphrase}
        vault_id = await create(f"/workspaces/{workspace}/vaults", body | secret)
        vaults.append(Vault(user, vault_id, passphrase))
    return vaults

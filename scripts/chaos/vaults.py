"""Vaults whose entries are written at random while the service is killed, and what must be in them.

One has a passphrase, the other stands under the key of the service. Nobody else knows of them, so
no other writer takes them away.
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from scripts.chaos.calls import Calls, Unanswered, Violation
from scripts.chaos.model import Model, User

ENTRIES = 8  # in each vault
KEPT = 10  # versions of an entry
TTL = 3600  # seconds; no session ends by itself
_LOCKED = "423 vault-locked"

State = tuple[str, ...]
"""What was written to an entry, version after version; () when it is not there."""


@dataclass(eq=False, slots=True)
class Vault:
    """A vault, as it was last acknowledged."""

    user: User
    id: str
    passphrase: str | None
    perhaps: str | None = None
    """The passphrase, if the change was made that was never answered."""
    session: str | None = None
    door: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is locked or unlocked, or its passphrase is changed."""

    @property
    def path(self) -> str:
        return f"/vaults/{self.id}"

    @property
    def headers(self) -> dict[str, str]:
        session = {} if self.session is None else {"Vault-Session": self.session}
        return self.user.headers | session


@dataclass(eq=False, slots=True)
class Entry:
    """An entry, as it was last acknowledged. One request at a time changes it."""

    vault: Vault
    key: str
    state: State = ()
    perhaps: State | None = None
    """Its state, if the write was done that was never answered."""
    is_busy: bool = False

    @property
    def path(self) -> str:
        return f"{self.vault.path}/entries/{self.key}"


class Vaults:
    """Writes to the vaults of a user, and compares what is in them with what was acknowledged."""

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
        """Settles what is in doubt, and reads all that is kept: how many versions that were.

        Nobody must write in the meantime. Raises: Violation.
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
        async with vault.door:
            if vault.session is not None or vault.perhaps is not None:
                return  # somebody else was quicker, or the passphrase is in doubt
            path = f"{vault.path}/unlock"
            body = {"passphrase": vault.passphrase, "ttl_seconds": TTL}
            answer = await self._calls.send(
                "POST", path, ("200",), headers=vault.headers, json=body
            )
            vault.session = answer.json()["session"]

    async def _lock(self, vault: Vault) -> None:
        async with vault.door:
            await self._calls.send("POST", f"{vault.path}/lock", ("200",), headers=vault.headers)
            vault.session = None

    async def _update_passphrase(self, vault: Vault) -> None:
        async with vault.door:
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
        """With the passphrase it has, or the one it has if its change was made."""
        # Most changes in doubt were not made, and only five wrong passphrases a minute are taken.
        if not await self._opens(vault, vault.passphrase):
            if vault.perhaps is None or not await self._opens(vault, vault.perhaps):
                raise Violation(f"{vault.path}: its passphrase does not open it")
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
            told = f"acknowledged was {_kept(entry.state)}, in doubt {_kept(entry.perhaps or ())}"
            raise Violation(f"{entry.path}: {read} is kept, {told}")
        entry.perhaps = None
        return len(read)

    async def _read(self, entry: Entry) -> dict[int, str]:
        """The contents that are kept of it, by version."""
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
        """None for what is not there."""
        answer = await self._calls.settle("GET", path, expected, headers=vault.headers)
        return answer.json() if answer.status_code == 200 else None


def _kept(state: State) -> dict[int, str]:
    return dict(list(enumerate(state, start=1))[: -KEPT - 1 : -1])


async def make_vaults(user: User, calls: Calls) -> list[Vault]:
    """A vault of either protection, for somebody who has nothing yet. Raises: Violation."""

    async def make(path: str, body: dict[str, Any]) -> str:
        answer = await calls.send("POST", path, ("201",), headers=user.headers, json=body)
        return answer.json()["id"]

    workspace = await make(f"{user.path}/workspaces", {"name": "secrets"})
    vaults = list[Vault]()
    for passphrase in (None, "passphrase-of-old"):
        protection = {"protection": "none" if passphrase is None else "passphrase"}
        body = {"name": f"vault {len(vaults)}", "path": "~/vault", **protection}
        secret = {} if passphrase is None else {"passphrase": passphrase}
        vault_id = await make(f"/workspaces/{workspace}/vaults", body | secret)
        vaults.append(Vault(user, vault_id, passphrase))
    return vaults

"""Many clients of one vault lock, unlock, read, write and change the passphrase."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from tests.conftest import MASTER_KEY, SECRET
from tests.support import postgres
from tests.support.api import code, sign_up
from tests.support.server import running_server
from tests.support.vaults import OpenVault

pytestmark = pytest.mark.long

CLIENTS = 16
REQUESTS = 12  # of each client


@pytest.fixture(params=["postgresql", "sqlite"])
async def settings(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[dict[str, str]]:
    name = f"test_{secrets.token_hex(8)}"
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    if request.param != "sqlite":
        url = await postgres.create_database(name)
    yield {"DATABASE_URL": url, "SECRET_KEY": SECRET, "MASTER_KEY": MASTER_KEY}
    await postgres.drop_database(name)


@dataclass
class Storm:
    """Clients of one vault. What opens it and what changes that is sent one after another, for five
    wrong passphrases would end the storm; all else is at once."""

    vault: OpenVault
    chance: random.Random
    passphrase: asyncio.Lock = field(default_factory=asyncio.Lock)
    alive: set[str] = field(default_factory=set[str])
    dead: set[str] = field(default_factory=set[str])
    written: dict[int, str] = field(default_factory=dict[int, str])
    counted: Counter[str] = field(default_factory=Counter[str])

    async def rage(self) -> None:
        for _ in range(REQUESTS):
            kinds = [self._unlock, self._lock, self._put, self._get, self._change]
            (what,) = self.chance.choices(kinds, weights=[4, 1, 6, 6, 1])
            answer = await what()
            outcome = str(answer.status_code) if answer.is_success else code(answer)
            self.counted[f"{what.__name__[1:]}: {outcome}"] += 1

    async def _unlock(self) -> httpx.Response:
        async with self.passphrase:
            answer = await self.vault.unlock()
            if answer.is_success:
                self.alive.add(answer.json()["session"])
            return answer

    async def _change(self) -> httpx.Response:
        async with self.passphrase:
            new = secrets.token_hex(16)
            before = set(self.alive)
            answer = await self.vault.update_passphrase(new)
            if answer.is_success:
                self.vault = replace(self.vault, passphrase=new)
                self._end(before)
            return answer

    async def _lock(self) -> httpx.Response:
        before = set(self.alive)
        answer = await self.vault.lock()
        if answer.is_success:
            self._end(before)
        return answer

    def _end(self, sessions: set[str]) -> None:
        self.dead |= sessions
        self.alive -= sessions

    def _visit(self) -> tuple[OpenVault, bool]:
        """The vault with some session, and whether that was ended by what was acknowledged."""
        known = [*self.alive, *self.alive, *self.dead] or ["symv_none"]
        session = self.chance.choice(sorted(known))
        return replace(self.vault, session=session), session not in self.alive

    async def _get(self) -> httpx.Response:
        visit, is_dead = self._visit()
        answer = await visit.get("a")
        if is_dead:
            assert code(answer) == "423 vault-locked"
        return answer

    async def _put(self) -> httpx.Response:
        visit, is_dead = self._visit()
        content = secrets.token_hex(8)
        answer = await visit.put("a", content)
        if is_dead:
            assert code(answer) == "423 vault-locked"
        if answer.is_success:
            version = answer.json()["version"]
            assert version not in self.written
            self.written[version] = content
        return answer


async def test_in_a_storm_on_two_processes_no_lock_is_passed_and_no_write_is_lost(
    settings: dict[str, str], tmp_path: Path
) -> None:
    seed = secrets.randbits(32)
    async with (
        running_server(tmp_path / "data", "--workers", "2", **settings) as server,
        server.client() as client,
    ):
        ada = await sign_up(client, "ada")
        workspace = (await ada.workspace())["id"]
        vault = await OpenVault.made(ada, workspace, "secret", secrets.token_hex(16))
        storm = Storm(vault, random.Random(seed))  # noqa: S311 - not for secrets
        opened = await vault.opened()
        storm.alive.add(opened.session)
        first = await opened.put("a", "first")
        storm.written[first.json()["version"]] = "first"
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(storm.rage())
        statuses = {each.partition(": ")[2] for each in storm.counted}
        assert statuses <= {"200", "204", "423 vault-locked"}, (seed, storm.counted)
        assert sorted(storm.written) == [*range(1, len(storm.written) + 1)], seed
        last = await storm.vault.opened()
        newest = (await last.get("a")).json()
        assert newest["version"] == max(storm.written)
        kept = [each["version"] for each in (await last.versions("a")).json()["items"]]
        for version in kept:
            content = (await last.get("a", version)).json()["content"]
            assert content == storm.written[version], seed
        for session in storm.dead:
            assert code(await replace(last, session=session).get("a")) == "423 vault-locked"
        print("STORM", sum(storm.counted.values()), dict(storm.counted))  # noqa: T201 - `pytest -s`

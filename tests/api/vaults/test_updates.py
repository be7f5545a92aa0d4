"""A concurrent change is never reported as damage."""

import asyncio
from typing import Any

import pytest

from tests.support.api import User, code
from tests.support.vaults import OpenVault

pytestmark = pytest.mark.long

VAULTS = 10


async def test_a_concurrent_first_entry_is_not_reported_as_damage(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    for number in range(VAULTS):
        vault = await OpenVault.made(ada, workspace, f"v{number}")
        put = asyncio.create_task(vault.put("a"))
        seen: set[str] = set()

        async def read(
            path: str,
            vault: OpenVault = vault,
            put: asyncio.Task[Any] = put,
            seen: set[str] = seen,
        ) -> None:
            while not put.done():
                answer = await vault.ask("GET", path)
                seen.add("200" if answer.is_success else code(answer))

        await asyncio.gather(*(read(path) for path in ["/entries", "/entries/a"] * 5))
        assert (await put).status_code == 201
        assert seen <= {"200", "404 entry-not-found"}


async def test_a_concurrent_deletion_is_a_404_and_not_damage(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    for number in range(VAULTS):
        vault = await OpenVault.made(ada, workspace, f"v{number}", "a horse and a battery")
        seen: set[str] = set()

        async def unlock(vault: OpenVault = vault, seen: set[str] = seen) -> None:
            while "404 vault-not-found" not in seen:
                seen.add(code(await vault.unlock("a wrong passphrase")))

        clients = [asyncio.create_task(unlock()) for _ in range(10)]
        assert (await vault.ask("DELETE", "?force=true")).status_code == 204
        await asyncio.gather(*clients)
        assert seen <= {"403 wrong-passphrase", "404 vault-not-found", "429 too-many-attempts"}

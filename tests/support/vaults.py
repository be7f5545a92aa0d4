"""Vaults and their entries, as their owner requests them."""

from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote

import httpx

from tests.support.api import User


@dataclass(frozen=True, slots=True)
class OpenVault:
    """A vault and its owner, with its passphrase if it has one, and a session."""

    owner: User
    id: str
    passphrase: str = ""
    session: str = ""

    @classmethod
    async def made(cls, owner: User, workspace_id: str, name: str, passphrase: str = "") -> Self:
        """Create a vault; with a passphrase it is locked."""
        protection = {"protection": "passphrase", "passphrase": passphrase} if passphrase else {}
        vault = await owner.vault(workspace_id, name, **protection)
        return cls(owner, vault["id"], passphrase)

    @property
    def path(self) -> str:
        return f"/vaults/{self.id}"

    async def shown(self) -> dict[str, Any]:
        return (await self.owner.get(self.path)).json()

    async def ask(
        self, method: str, path: str = "", json: Any = None, **headers: str
    ) -> httpx.Response:
        session = {"Vault-Session": self.session} if self.session else {}
        return await self.owner.request(
            method, self.path + path, json=json, headers=session | headers
        )

    async def get(self, key: str = "a", version: int | None = None) -> httpx.Response:
        which = f"?version={version}" if version else ""
        return await self.ask("GET", f"/entries/{quote(key)}{which}")

    async def put(self, key: str = "a", content: str = "kept", **fields: Any) -> httpx.Response:
        return await self.ask("PUT", f"/entries/{quote(key)}", {"content": content, **fields})

    async def versions(self, key: str) -> httpx.Response:
        return await self.ask("GET", f"/versions/{quote(key)}")

    async def restore(self, key: str, version: int) -> httpx.Response:
        return await self.ask("POST", f"/restore/{quote(key)}", {"version": version})

    async def lock(self) -> httpx.Response:
        return await self.ask("POST", "/lock")

    async def unlock(self, passphrase: str | None = None, **fields: Any) -> httpx.Response:
        given = self.passphrase if passphrase is None else passphrase
        return await self.ask("POST", "/unlock", {"passphrase": given, **fields})

    async def update_passphrase(self, new: str) -> httpx.Response:
        return await self.ask("PUT", "/passphrase", {"old": self.passphrase, "new": new})

    async def opened(self, **fields: Any) -> Self:
        """The same with a session. One without a passphrase needs none."""
        if not self.passphrase:
            return self
        answer = await self.unlock(**fields)
        assert answer.status_code == 200, answer.text
        return replace(self, session=answer.json()["session"])


@dataclass(frozen=True, slots=True)
class PlainVault:
    """A vault without a passphrase, and its owner."""

    owner: User
    id: str

    def path(self, key: str, kind: str = "entries") -> str:
        return f"/vaults/{self.id}/{kind}/{quote(key)}"

    async def put(self, key: str, content: str = "kept", **fields: Any) -> httpx.Response:
        headers = fields.pop("headers", {})
        return await self.owner.put(self.path(key), {"content": content, **fields}, headers=headers)

    async def get(self, key: str, **options: Any) -> httpx.Response:
        return await self.owner.get(self.path(key), **options)

    async def keys(self, **parameters: Any) -> list[str]:
        answer = await self.owner.get(f"/vaults/{self.id}/entries", params=parameters)
        assert answer.status_code == 200, answer.text
        return [each["key"] for each in answer.json()["items"]]

"""A vault and its entries, called by their owner."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tests.support.api import User


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

"""The OpenAPI document as clients get it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from symphony.api.openapi.document import at_root_path
from symphony.api.static.content import ConstantContent


class OpenApiDocuments:
    """The document as JSON, which is created in a thread at its first use."""

    def __init__(self, create: Callable[[], dict[str, Any]]) -> None:
        self._create = create
        self._root_path = ""
        self._content: ConstantContent | None = None
        self._lock = asyncio.Lock()

    async def at(self, root_path: str) -> ConstantContent:
        """Return the document of a service below a path prefix; only the last one is kept."""
        async with self._lock:
            if self._content is None or root_path != self._root_path:
                self._content = await ConstantContent.of(lambda: self._json(root_path))
                self._root_path = root_path
            return self._content

    def _json(self, root_path: str) -> bytes:
        document = at_root_path(self._create(), root_path)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

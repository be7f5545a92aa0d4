"""A workspace whose repos are registered when a demo asks for their status."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from scripts.demos.support.user import User


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of Ada's, in which folders are registered when their status is asked for."""

    ada: User
    id: str
    _repos: dict[Path, str] = field(default_factory=dict[Path, str])
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def register(self, path: Path, **fields: Any) -> str:
        """Register a folder; returns the path of the repo in the API."""
        name = f"{path.name} {next(self._numbers)}"
        repo = self.ada.create(f"/workspaces/{self.id}/repos", name=name, path=str(path), **fields)
        self._repos[path] = repo["id"]
        return f"/repos/{repo['id']}"

    def get_status(self, path: Path) -> httpx.Response:
        repo = f"/repos/{self._repos[path]}" if path in self._repos else self.register(path)
        return self.ada.call("GET", f"{repo}/status").raise_for_status()

    def status(self, path: Path) -> dict[str, Any]:
        return self.get_status(path).json()

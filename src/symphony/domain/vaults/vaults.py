"""Vaults: named stores for notes and secrets, which can be locked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypedDict
from uuid import UUID

from symphony.domain import fields as rules
from symphony.domain.base import PagedRepository, Rule
from symphony.domain.errors import FieldError, Invalid, Locked, RuleBroken
from symphony.domain.json_objects import JsonObject, JsonValue, json_object
from symphony.domain.workspaces import WorkspaceContent

MIN_PASSPHRASE = 12
MAX_PASSPHRASE = 1024


class Protection(StrEnum):
    """The protection of a vault's entries against readers of the database."""

    NONE = "none"
    """The service's master key. The owner locks and unlocks the vault without a passphrase."""
    PASSPHRASE = "passphrase"  # noqa: S105 - a word
    """A passphrase that only the owner knows. Without a session the entries cannot be read."""


def passphrase(value: object) -> str:
    """12 to 1,024 characters of any kind."""
    given = rules.text(value)
    if not MIN_PASSPHRASE <= len(given) <= MAX_PASSPHRASE:
        raise RuleBroken(
            "passphrase-length", f"Must have {MIN_PASSPHRASE} to {MAX_PASSPHRASE:,} characters."
        )
    return given


@dataclass(frozen=True, kw_only=True)
class Vault(WorkspaceContent):
    """A vault's record. Its name is unique among the vaults of its workspace.

    `is_locked` is the state when the record was read: a vault with a passphrase becomes locked
    without a request when its last session expires.
    """

    noun: ClassVar[str] = "vault"
    rules: ClassVar[Mapping[str, Rule]] = {
        "workspace_id": rules.identity,
        "name": rules.folder_name,
        "path": rules.path,
        "metadata": json_object,
        "is_locked": rules.boolean,
        "protection": rules.one_of(Protection),
    }

    path: str
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    is_locked: bool = False
    protection: Protection = Protection.NONE

    @property
    def tag(self) -> str:
        return f"{super().tag}-{'locked' if self.is_locked else 'open'}"

    def require_unlocked(self) -> None:
        """Raises: Locked."""
        if self.is_locked:
            raise VaultLocked


class VaultLocked(Locked):
    """The vault's entries cannot be accessed, and its record cannot be updated."""

    def __init__(self, detail: str = "The vault is locked; unlock it first.") -> None:
        super().__init__("vault-locked", detail)


def passphrase_required() -> Invalid:
    detail = "Must be given; the vault is protected by a passphrase."
    return Invalid([FieldError("passphrase", "missing", detail)])


class VaultChanges(TypedDict, total=False):
    """The fields to update; `metadata` is a merge patch, another `workspace_id` moves the vault."""

    workspace_id: UUID
    name: str
    path: str
    metadata: JsonObject


class VaultRepository(PagedRepository[Vault]):
    """The vaults of all workspaces."""

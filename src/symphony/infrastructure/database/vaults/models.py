"""The tables of vaults, and of what belongs to a vault.

On SQLite, their columns refuse values of another type.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from symphony.domain.vaults.vaults import Protection
from symphony.infrastructure.database.column_types import Word
from symphony.infrastructure.database.model_bases import DirectoryModel, Model, named_in
from symphony.infrastructure.database.vaults.sqlite_type_checks import TypeChecked


class VaultModel(TypeChecked, DirectoryModel):
    __tablename__ = "vaults"
    __table_args__ = (
        *named_in("workspace_id"),
        CheckConstraint("protection IN ('none', 'passphrase')", name="protection"),
    )

    is_locked: Mapped[bool]
    protection: Mapped[Protection] = mapped_column(Word(Protection), server_default="none")


class VaultKeyModel(TypeChecked, Model):
    """A vault's data key, wrapped under a master key or under one derived from a passphrase."""

    __tablename__ = "vault_keys"
    __table_args__ = (
        CheckConstraint(
            "(master_key_name IS NULL) = (salt IS NOT NULL AND memory IS NOT NULL"
            " AND passes IS NOT NULL AND lanes IS NOT NULL)",
            name="wrapped_by",
        ),
    )

    vault_id: Mapped[UUID] = mapped_column(
        ForeignKey("vaults.id", ondelete="CASCADE"), primary_key=True
    )
    wrapped: Mapped[bytes]
    master_key_name: Mapped[bytes | None]
    salt: Mapped[bytes | None]
    memory: Mapped[int | None]
    passes: Mapped[int | None]
    lanes: Mapped[int | None]
    checksum: Mapped[bytes]


class VaultSessionModel(TypeChecked, Model):
    """A vault's data key, wrapped under a key derived from a session and an access token."""

    __tablename__ = "vault_sessions"
    __table_args__ = (
        Index(None, "vault_id", "expires_at"),
        Index(None, "api_token_id"),
    )

    session_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    vault_id: Mapped[UUID] = mapped_column(ForeignKey("vaults.id", ondelete="CASCADE"))
    api_token_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("api_tokens.id", ondelete="CASCADE")
    )
    expires_at: Mapped[datetime]
    wrapped: Mapped[bytes]


class VaultEntryModel(TypeChecked, Model):
    """An entry: `lookup` is a keyed hash of its key, `sealed` is the encrypted key."""

    __tablename__ = "vault_entries"
    __table_args__ = (
        UniqueConstraint("vault_id", "lookup"),
        CheckConstraint("oldest BETWEEN 1 AND newest", name="oldest"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vault_id: Mapped[UUID] = mapped_column(ForeignKey("vaults.id", ondelete="CASCADE"))
    lookup: Mapped[bytes]
    newest: Mapped[int]
    oldest: Mapped[int]
    sealed: Mapped[bytes]


class VaultEntryVersionModel(TypeChecked, Model):
    """A version of an entry: its content, and the facts that lists show, both encrypted."""

    __tablename__ = "vault_entry_versions"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    entry_id: Mapped[UUID] = mapped_column(
        ForeignKey("vault_entries.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    facts: Mapped[bytes]
    content: Mapped[bytes]


class StorageCounterModel(Model):
    """The bytes that the entries of a vault take: their sealed keys, facts and contents."""

    __tablename__ = "storage_counters"
    __table_args__ = (CheckConstraint("entry_bytes >= 0", name="entry_bytes"),)

    vault_id: Mapped[UUID] = mapped_column(
        ForeignKey("vaults.id", ondelete="CASCADE"), primary_key=True
    )
    entry_bytes: Mapped[int] = mapped_column(BigInteger)
    recounted_at: Mapped[datetime | None]

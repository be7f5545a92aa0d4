"""The tables, as ORM models: columns, keys, constraints and the indexes of every list.

Columns that have the name of an entity's field or property hold just that; the others (the
counters) belong to the database.
"""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from symphony.domain.api_tokens import Scope
from symphony.domain.vaults.vaults import Protection
from symphony.domain.workspaces import WorkspaceType
from symphony.infrastructure.database.column_types import (
    JsonObject,
    KeyText,
    ProtectionName,
    Scopes,
    UtcDateTime,
    WorkspaceTypeName,
)


class Model(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as it stands
        datetime: UtcDateTime(),
        dict[str, Any]: JsonObject(),
        bytes: LargeBinary(),
    }


class EntityModel(Model):
    """The columns that all nouns have."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-4)
    version: Mapped[int] = mapped_column(sort_order=-3)
    created_at: Mapped[datetime] = mapped_column(sort_order=-2)
    updated_at: Mapped[datetime] = mapped_column(sort_order=-1)


class UserProfileModel(EntityModel):
    __tablename__ = "user_profiles"
    __table_args__ = (
        UniqueConstraint("username_key"),
        UniqueConstraint("email_key"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(username) BETWEEN 3 AND 64", name="username"),
        CheckConstraint("length(email) BETWEEN 3 AND 254", name="email"),
        CheckConstraint("workspace_count >= 0", name="workspace_count"),
    )

    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(KeyText)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(KeyText)
    password_hash: Mapped[str] = mapped_column(String(255))
    preferences: Mapped[dict[str, Any]]
    workspace_count: Mapped[int] = mapped_column(server_default="0")


class WorkspaceModel(EntityModel):
    __tablename__ = "workspaces"
    __table_args__ = (
        UniqueConstraint("user_profile_id", "name_key"),
        Index(None, "user_profile_id", "created_at", "id"),
        Index(None, "user_profile_id", "updated_at", "id"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
        CheckConstraint(
            "workspace_type IN ('general', 'client', 'personal', 'research')",
            name="workspace_type",
        ),
        CheckConstraint("repo_count >= 0", name="repo_count"),
        CheckConstraint("vault_count >= 0", name="vault_count"),
    )

    user_profile_id: Mapped[UUID] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = mapped_column(KeyText)
    description: Mapped[str | None] = mapped_column(Text)
    workspace_type: Mapped[WorkspaceType] = mapped_column(WorkspaceTypeName)
    settings: Mapped[dict[str, Any]]
    repo_count: Mapped[int] = mapped_column(server_default="0")
    vault_count: Mapped[int] = mapped_column(server_default="0")


class RepoModel(EntityModel):
    __tablename__ = "repos"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name_key"),
        Index(None, "workspace_id", "created_at", "id"),
        Index(None, "workspace_id", "updated_at", "id"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = mapped_column(KeyText)
    path: Mapped[str] = mapped_column(Text)
    remote_url: Mapped[str | None] = mapped_column(Text)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", key="metadata")
    last_synced: Mapped[datetime | None]


class VaultModel(EntityModel):
    __tablename__ = "vaults"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name_key"),
        Index(None, "workspace_id", "created_at", "id"),
        Index(None, "workspace_id", "updated_at", "id"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
        CheckConstraint("protection IN ('none', 'passphrase')", name="protection"),
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = mapped_column(KeyText)
    path: Mapped[str] = mapped_column(Text)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", key="metadata")
    is_locked: Mapped[bool]
    protection: Mapped[Protection] = mapped_column(ProtectionName, server_default="none")


class VaultKeyModel(Model):
    """A vault's data key, wrapped: by a master key, or by what Argon2 makes of a passphrase."""

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


class VaultSessionModel(Model):
    """A vault's data key, wrapped by what only the holder of a session and of a token has."""

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


class VaultEntryModel(Model):
    """An entry: `lookup` is a keyed hash of its key, and `sealed` the key itself."""

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


class VaultEntryVersionModel(Model):
    """A version of an entry: its content, and apart from it what is shown without it."""

    __tablename__ = "vault_entry_versions"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    entry_id: Mapped[UUID] = mapped_column(
        ForeignKey("vault_entries.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    facts: Mapped[bytes]
    content: Mapped[bytes]


class ApiTokenModel(EntityModel):
    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "user_profile_id", "created_at", "id"),
        Index(None, "user_profile_id", "updated_at", "id"),
        Index(None, "user_profile_id", "name_key", "id"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
    )

    user_profile_id: Mapped[UUID] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = mapped_column(KeyText)
    scopes: Mapped[tuple[Scope, ...]] = mapped_column(Scopes)
    token_hash: Mapped[bytes]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class IdempotencyKeyModel(Model):
    """`entity` is what was made, as JSON: an object, or a list of them when several were.

    It is null only within the unit of work that makes it.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index(None, "user_profile_id", "created_at"),
        CheckConstraint("length(key) BETWEEN 1 AND 255", name="key"),
    )

    user_profile_id: Mapped[UUID] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[bytes]
    created_at: Mapped[datetime]
    noun: Mapped[str | None] = mapped_column(String(32))
    entity: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))


class SignInFailureModel(Model):
    """`account` is a keyed hash: what people mistype here can be a password."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index(None, "since"),
        CheckConstraint("failures >= 1", name="failures"),
    )

    account: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime]


class RepoObservationModel(Model):
    """`path` is where the repo was when it was looked at."""

    __tablename__ = "repo_observations"

    repo_id: Mapped[UUID] = mapped_column(
        ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(Text)
    observed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(32))
    has_remote: Mapped[bool]
    lacks_upstream: Mapped[bool]
    is_unfinished: Mapped[bool]
    ahead: Mapped[int]
    behind: Mapped[int]
    stashes: Mapped[int]
    authored_at: Mapped[datetime | None]


_STORED_AS: dict[type, str] = {bytes: "blob", int: "integer", bool: "integer"}


def _is_of_its_type(column: Column[Any]) -> str:
    """What SQLite has to be told, for its columns take values of any type."""
    name, kind = column.name, column.type
    if isinstance(kind, UtcDateTime):
        day, clock, rest = (f"substr({name}, {part})" for part in ("1, 10", "12, 8", "20"))
        rule = f"{day} = date({day}) AND {clock} = time({clock}) AND {rest} GLOB '.{'[0-9]' * 6}'"
    elif isinstance(kind, Uuid):
        rule = f"length({name}) = 32 AND {name} NOT GLOB '*[^0-9a-f]*'"
    elif isinstance(kind, JsonObject):
        rule = f"CASE WHEN json_valid({name}) THEN json_type({name}) = 'object' ELSE 0 END"
    else:
        rule = "1"
    stored = _STORED_AS.get(kind.python_type, "text")
    rule = f"typeof({name}) = '{stored}' AND {rule}".removesuffix(" AND 1")
    return f"({name} IS NULL OR {rule})" if column.nullable else rule


# As in PostgreSQL nothing of another type gets into them, whoever writes it: it could not be told
# from what is damaged.
for _model in (
    VaultModel, VaultKeyModel, VaultSessionModel, VaultEntryModel, VaultEntryVersionModel
):  # fmt: skip
    _table = cast("Table", _model.__table__)
    _table.append_constraint(
        CheckConstraint(" AND ".join(map(_is_of_its_type, _table.columns)), name="types").ddl_if(
            dialect="sqlite"
        )
    )

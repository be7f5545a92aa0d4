"""The tables, as ORM models: columns, keys, constraints and the indexes of every list.

Those of vaults are in `vaults/models.py`, and in the metadata as soon as this module is imported.

A column with the name of an entity's field or property holds its value. The other columns (the
counters) are written by the database alone.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

import symphony.infrastructure.database.vaults.models  # noqa: F401 # pyright: ignore[reportUnusedImport] - it adds its tables
from symphony.domain.api_tokens import Scope
from symphony.domain.git.status import RepoState
from symphony.domain.workspaces import WorkspaceType
from symphony.infrastructure.database.column_types import (
    KeyText,
    Scopes,
    Word,
)
from symphony.infrastructure.database.model_bases import (
    DirectoryModel,
    EntityModel,
    InUserProfileModel,
    Model,
    named_in,
)


class UserProfileModel(EntityModel):
    __tablename__ = "user_profiles"
    __table_args__ = (
        UniqueConstraint("username_key"),
        UniqueConstraint("email_key"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(username) BETWEEN 3 AND 64", name="username"),
        CheckConstraint("length(email) BETWEEN 3 AND 254", name="email"),
        CheckConstraint("workspace_count >= 0", name="workspace_count"),
        CheckConstraint("machine_count >= 0", name="machine_count"),
        CheckConstraint("token_generation >= 1", name="token_generation"),
    )

    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(KeyText)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(KeyText)
    password_hash: Mapped[str] = mapped_column(String(255))
    preferences: Mapped[dict[str, Any]]
    workspace_count: Mapped[int] = mapped_column(server_default="0")
    token_generation: Mapped[int] = mapped_column(server_default="1")
    machine_count: Mapped[int] = mapped_column(server_default="0")


class WorkspaceModel(InUserProfileModel):
    __tablename__ = "workspaces"
    __table_args__ = (
        *named_in("user_profile_id"),
        CheckConstraint(
            "workspace_type IN ('general', 'client', 'personal', 'research')",
            name="workspace_type",
        ),
        CheckConstraint("repo_count >= 0", name="repo_count"),
        CheckConstraint("vault_count >= 0", name="vault_count"),
    )

    description: Mapped[str | None] = mapped_column(Text)
    workspace_type: Mapped[WorkspaceType] = mapped_column(Word(WorkspaceType))
    settings: Mapped[dict[str, Any]]
    repo_count: Mapped[int] = mapped_column(server_default="0")
    vault_count: Mapped[int] = mapped_column(server_default="0")


class RepoModel(DirectoryModel):
    __tablename__ = "repos"
    __table_args__ = named_in("workspace_id")

    remote_url: Mapped[str | None] = mapped_column(Text)
    last_synced: Mapped[datetime | None]


class MachineModel(InUserProfileModel):
    __tablename__ = "machines"
    __table_args__ = (
        *named_in("user_profile_id"),
        CheckConstraint("checkout_count >= 0", name="checkout_count"),
    )

    last_report_at: Mapped[datetime | None]
    checkout_count: Mapped[int] = mapped_column(server_default="0")
    report_sequence: Mapped[int | None] = mapped_column(BigInteger)


class CheckoutModel(Model):
    """A checkout of a git repository in the last report of a machine.

    `path_hash` stands for the path in the index, which has no room for 4,096 characters. `digest`
    is that of the checkout as it was sent, without credentials and the time of its inspection, and
    of the fields that are stored. `has_remotes` is for processes of the previous version. `remotes`
    (normalized) and `root_commits` have one value a line; `facts` is JSON, kept as text because
    most lists need few of them. `heads` are the first 20 bytes of the id of each remote head, and
    `detail` is all that was sent, compressed.
    """

    __tablename__ = "checkouts"
    __table_args__ = (UniqueConstraint("machine_id", "path_hash"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    machine_id: Mapped[UUID] = mapped_column(ForeignKey("machines.id", ondelete="CASCADE"))
    path_hash: Mapped[bytes]
    path: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes]
    has_remotes: Mapped[bool]
    remotes: Mapped[str] = mapped_column(Text)
    root_commits: Mapped[str] = mapped_column(Text)
    known_heads: Mapped[str] = mapped_column(Text)
    needs_attention: Mapped[bool]
    facts: Mapped[str] = mapped_column(Text)
    heads: Mapped[bytes]
    detail: Mapped[bytes]


class ApiTokenModel(InUserProfileModel):
    __tablename__ = "api_tokens"
    __table_args__ = (
        *named_in("user_profile_id", unique_names=False),
        UniqueConstraint("token_hash"),
        Index(None, "creator_id"),
        Index(None, "machine_id"),
    )

    scopes: Mapped[tuple[Scope, ...]] = mapped_column(Scopes)
    token_hash: Mapped[bytes]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    creator_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_tokens.id", ondelete="CASCADE"))
    is_confined: Mapped[bool] = mapped_column(server_default=false())
    machine_id: Mapped[UUID | None] = mapped_column(ForeignKey("machines.id", ondelete="CASCADE"))
    is_rotated: Mapped[bool] = mapped_column(server_default=false())


class ApiTokenWorkspaceModel(Model):
    """A workspace to which an API token is confined.

    A confined token without any, because they were deleted, reaches nothing.
    """

    __tablename__ = "api_token_workspaces"
    __table_args__ = (Index(None, "workspace_id"),)

    api_token_id: Mapped[UUID] = mapped_column(
        ForeignKey("api_tokens.id", ondelete="CASCADE"), primary_key=True
    )
    workspace_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )


class IdempotencyKeyModel(Model):
    """A key and the created entities as JSON in `entity`: an object, or a list of objects.

    `size` is the length of the JSON in bytes; 0 when a process of an earlier version stored it.
    `entity` is null only inside the unit of work that claims the key.
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
    size: Mapped[int] = mapped_column(server_default="0")


class AttemptCounterModel(Model):
    """The failed and pending attempts of `counter`, a keyed hash of a subject and an address.

    `subject` is a keyed hash of the login, account or vault. Users may type a password in place of
    a name, so neither is readable.
    """

    __tablename__ = "attempt_counters"
    __table_args__ = (
        Index(None, "subject"),
        Index(None, "expires_at"),
        CheckConstraint("failures >= 0", name="failures"),
        CheckConstraint("pending >= 0", name="pending"),
    )

    counter: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    subject: Mapped[bytes]
    failures: Mapped[int]
    pending: Mapped[int]
    failed_at: Mapped[datetime]
    reserved_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class KnownAddressModel(Model):
    """A keyed hash of an address and the login or account that has signed in from there."""

    __tablename__ = "known_addresses"
    __table_args__ = (Index(None, "signed_in_at"),)

    address: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    signed_in_at: Mapped[datetime]


class SignInFailureModel(Model):
    """The counters of the previous version.

    Its processes use them until they are replaced; a later migration removes the table.
    """

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index(None, "since"),
        CheckConstraint("failures >= 1", name="failures"),
    )

    account: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime]


class RepoInspectionModel(Model):
    """The last observation of a repo; `path` is the path of the repo when it was inspected.

    `times` are since when work is unfinished, and the `observed_at` of the observation they belong
    to: programs of revision 014 update the other columns only. They accept no further facts.
    """

    __tablename__ = "repo_inspections"

    repo_id: Mapped[UUID] = mapped_column(
        ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(Text)
    observed_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]]
    times: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))


class RemoteHeadsModel(Model):
    """What the last sync of a repo saw of the remote with this address."""

    __tablename__ = "remote_heads"

    repo_id: Mapped[UUID] = mapped_column(
        ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True
    )
    remote_url: Mapped[str] = mapped_column(Text)
    synced_at: Mapped[datetime]
    heads: Mapped[dict[str, Any]]


class RepoObservationModel(Model):
    """The observations of the previous version.

    Its processes use them until they are replaced; a later migration removes the table.
    """

    __tablename__ = "repo_observations"

    repo_id: Mapped[UUID] = mapped_column(
        ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(Text)
    observed_at: Mapped[datetime]
    state: Mapped[RepoState] = mapped_column(Word(RepoState, 32))
    has_remote: Mapped[bool]
    lacks_upstream: Mapped[bool]
    is_unfinished: Mapped[bool]
    ahead: Mapped[int]
    behind: Mapped[int]
    stashes: Mapped[int]
    authored_at: Mapped[datetime | None]


class LastWriteModel(Model):
    """The mark of a user's last write, which that write has stored; no row if none was marked."""

    __tablename__ = "last_writes"

    user_profile_id: Mapped[UUID] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="CASCADE"), primary_key=True
    )
    mark: Mapped[UUID]


class HeartbeatModel(Model):
    """The last heartbeat of the primary, in one row; none while no process has replicas."""

    __tablename__ = "heartbeats"
    __table_args__ = (CheckConstraint("number = 1", name="number"),)

    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    beat: Mapped[UUID]

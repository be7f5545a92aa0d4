"""What tables have in common: the base of all models, columns of nouns, and indexes for lists."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from symphony.infrastructure.database.column_types import JsonObject, KeyText, UtcDateTime


class Model(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
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


class NamedModel(EntityModel):
    """The columns of a noun whose entities have names."""

    __abstract__ = True

    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = mapped_column(KeyText)


class InUserProfileModel(NamedModel):
    """The columns of a noun that a user profile contains."""

    __abstract__ = True

    user_profile_id: Mapped[UUID] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="CASCADE")
    )


class InWorkspaceModel(NamedModel):
    """The columns of a noun that a workspace contains."""

    __abstract__ = True

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))


class DirectoryModel(InWorkspaceModel):
    """The columns of a noun with a directory on disk."""

    __abstract__ = True

    path: Mapped[str] = mapped_column(Text)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", key="metadata")


def named_in(parent: str, *, unique_names: bool = True) -> tuple[SchemaItem, ...]:
    """Create the constraints and the indexes for lists of a noun with names.

    `parent` is the column with the id of what contains the entities.
    """
    return (
        UniqueConstraint(parent, "name_key")
        if unique_names
        else Index(None, parent, "name_key", "id"),
        Index(None, parent, "created_at", "id"),
        Index(None, parent, "updated_at", "id"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(name) BETWEEN 1 AND 255", name="name"),
    )

"""How an entity and its table fit together: the one pair of conversions, driven by the columns."""

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any, Generic, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Select,
    Table,
    UpdateBase,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from symphony.domain.base import E
from symphony.infrastructure.database.models import Model

ENTITY_ID: BindParameter[UUID] = bindparam("entity_id")
OWNER_ID: BindParameter[UUID] = bindparam("owner_id")


class Mapping(Generic[E]):
    """One noun's entity and table, and the statements that follow from them.

    `container` is the mapping of what the entities stand in, `parent` the column that says in
    which. `owner` is the column with the owner's id; without one, the container knows the owner,
    and look-ups join its table. `computed` has the fields that hold something else than their
    columns when they are read.
    """

    def __init__(
        self,
        entity: type[E],
        model: type[Model],
        *,
        owner: str | None = None,
        parent: str | None = None,
        container: "Mapping[Any] | None" = None,
        unique_names: bool = True,
        computed: "dict[str, ColumnElement[Any]] | None" = None,
    ) -> None:
        self.entity = entity
        self.noun = entity.noun
        self.table = cast("Table", model.__table__)
        self._container = container
        self.owner = self._owner(owner)
        self._joined = container.table if container and not owner else None
        self.parent = self.table.c[parent] if parent else None
        self.unique_names = unique_names
        self._computed = computed or {}
        # Derived properties (the normalised names) are written and never read back. A parameter
        # may not have the name of the column that it is for.
        shown = {field.name for field in fields(entity)} | set(dir(entity))
        self._written = {key: f"new_{key}" for key, _ in self.table.c.items() if key in shown}

    def _owner(self, owner: str | None) -> Column[UUID]:
        if owner:
            return self.table.c[owner]
        return self.container.owner

    @property
    def container(self) -> "Mapping[Any]":
        if self._container is None:
            raise ValueError(f"a {self.noun} stands in nothing")
        return self._container

    def shown(self, field: str) -> ColumnElement[Any]:
        """What a field holds when it is read."""
        return self._computed.get(field, self.table.c[field])

    def to_entity(self, row: Sequence[Any]) -> E:
        return self.entity.restored(row)

    def to_values(self, entity: E) -> dict[str, Any]:
        return {name: getattr(entity, key) for key, name in self._written.items()}

    @cached_property
    def select_all(self) -> Select[Any]:
        """Of all owners: for look-ups that find out who the owner is."""
        statement = select(*(self.shown(field.name) for field in fields(self.entity)))
        return statement if self._joined is None else statement.join_from(self.table, self._joined)

    @cached_property
    def select_owned(self) -> Select[Any]:
        return self.select_all.where(self.owner == OWNER_ID)

    @cached_property
    def select_one(self) -> Select[Any]:
        return self.select_owned.where(self.table.c.id == ENTITY_ID)

    @cached_property
    def select_one_for_update(self) -> Select[Any]:
        # FOR NO KEY UPDATE: it waits for other changes, not for children that refer to the row.
        return self.select_one.with_for_update(of=self.table, key_share=True)

    @cached_property
    def insert(self) -> UpdateBase:
        return insert(self.table).values(self._new)

    @cached_property
    def update(self) -> UpdateBase:
        """It returns something when there was such a version to be updated."""
        known = self.table.c.version == bindparam("known_version")
        changed = update(self.table).where(self.table.c.id == ENTITY_ID, known)
        return changed.values(self._new).returning(self.table.c.id)

    @cached_property
    def delete(self) -> UpdateBase:
        """It returns something when there was something to be deleted."""
        return delete(self.table).where(self.table.c.id == ENTITY_ID).returning(self.table.c.id)

    @property
    def _new(self) -> dict[str, BindParameter[Any]]:
        return {key: bindparam(name) for key, name in self._written.items()}

"""The mapping of an entity to its table: conversions and the common statements."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Generic, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
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
from symphony.infrastructure.database.reach import Because, is_owned, without_reach

ENTITY_ID: BindParameter[UUID] = bindparam("entity_id")
PARENT_ID: BindParameter[UUID] = bindparam("parent_id")


@dataclass(frozen=True, slots=True, eq=False)
class ListScope:
    """What a list contains: the entities of a statement, which checks the reach of the caller.

    - `unique_names`: whether a name is unique in the list.
    - `is_sorted`: whether the database has to sort the list, since no index has its order. It then
      sorts ids and reads the rest of the page only.

    Scopes are compared by identity.
    """

    select: Select[Any]
    unique_names: bool
    is_sorted: bool = False


class EntityMapping(Generic[E]):
    """One noun's entity and table, and the statements that follow from them.

    - `container`: the mapping of the noun that contains the entities; `parent`: the column with the
      container's id.
    - `owner`: the column with the owner's id. Without it, lookups join the table of the container,
      which decides what a caller reaches.
    - `unique_names`: whether a name is unique within its parent.
    - `derived`: expressions for the fields whose value is computed from more than their column.

    Defining a mapping registers it in `by_noun`.
    """

    by_noun: ClassVar[dict[str, "EntityMapping[Any]"]] = {}

    def __init__(
        self,
        entity: type[E],
        model: type[Model],
        *,
        owner: str | None = None,
        parent: str | None = None,
        container: "EntityMapping[Any] | None" = None,
        unique_names: bool = True,
        derived: "dict[str, ColumnElement[Any]] | None" = None,
    ) -> None:
        self.entity = entity
        self.noun = entity.noun
        self.table = cast("Table", model.__table__)
        self._container = container
        self.is_reached = is_owned(self.table.c[owner]) if owner else self.container.is_reached
        self._joined = container.table if container and not owner else None
        self._parent = parent
        self.unique_names = unique_names
        self._derived = derived or {}
        # Properties (such as `name_key`) are written and never read back. The prefix is needed
        # because a parameter may not have the name of the column that it is for.
        attributes = {field.name for field in fields(entity)} | set(dir(entity))
        self._written = {key: f"new_{key}" for key, _ in self.table.c.items() if key in attributes}
        self.by_noun[self.noun] = self

    @property
    def container(self) -> "EntityMapping[Any]":
        if self._container is None:
            raise ValueError(f"a {self.noun} has no container")
        return self._container

    def read_expression(self, field: str) -> ColumnElement[Any]:
        """Return the expression for reading a field: its column, or a derived one."""
        derived = self._derived.get(field)
        return self.table.c[field] if derived is None else derived

    @cached_property
    def in_parent(self) -> ListScope:
        """The list of the entities in one parent."""
        parent_id = self.table.c[self._required_parent]
        if self._joined is None:
            listed = self.select_reached.where(parent_id == PARENT_ID)
        else:
            # Not a join: it would look at everything in a parent that is not reached, and the time
            # of the answer would tell that the parent exists.
            own = self._joined.c.id
            parent = select(own).where(own == PARENT_ID, self.is_reached).scalar_subquery()
            listed = self._select_own.where(parent_id == parent)
        return ListScope(listed, self.unique_names)

    def parent_id(self, entity: E) -> UUID:
        return getattr(entity, self._required_parent)

    @property
    def _required_parent(self) -> str:
        if self._parent is None:
            raise ValueError(f"a {self.noun} has no parent")
        return self._parent

    def to_entity(self, row: Sequence[Any]) -> E:
        return self.entity.restored(row)

    def to_values(self, entity: E) -> dict[str, Any]:
        return {name: getattr(entity, key) for key, name in self._written.items()}

    @cached_property
    def select_all(self) -> Select[Any]:
        """A statement without an owner, for lookups that find the owner."""
        statement = self._select_own
        return statement if self._joined is None else statement.join_from(self.table, self._joined)

    @property
    def _select_own(self) -> Select[Any]:
        return select(*(self.read_expression(field.name) for field in fields(self.entity)))

    @cached_property
    def select_reached(self) -> Select[Any]:
        return self.select_all.where(self.is_reached)

    @cached_property
    def select_one(self) -> Select[Any]:
        return self.select_reached.where(self.table.c.id == ENTITY_ID)

    @cached_property
    def select_one_for_update(self) -> Select[Any]:
        # FOR NO KEY UPDATE: it waits for other updates, not for children that refer to the row.
        return self.select_one.with_for_update(of=self.table, key_share=True)

    @cached_property
    def insert(self) -> UpdateBase:
        return without_reach(insert(self.table).values(self._new), Because.IS_CREATED)

    @cached_property
    def update(self) -> UpdateBase:
        """A statement that returns a row if the entity was stored in the expected version."""
        is_expected = self.table.c.version == bindparam("expected_version")
        statement = update(self.table).where(self.table.c.id == ENTITY_ID, is_expected)
        return without_reach(
            statement.values(self._new).returning(self.table.c.id), Because.WAS_LOOKED_UP
        )

    @cached_property
    def delete(self) -> UpdateBase:
        """A statement that returns a row if the entity was stored."""
        statement = delete(self.table).where(self.table.c.id == ENTITY_ID)
        return without_reach(statement.returning(self.table.c.id), Because.WAS_LOOKED_UP)

    @property
    def _new(self) -> dict[str, BindParameter[Any]]:
        return {key: bindparam(name) for key, name in self._written.items()}

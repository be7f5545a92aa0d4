"""Repositories with the queries that all nouns share."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, bindparam, tuple_

from symphony.domain.base import E, Page, PagedRepository, PageRequest, Position, Repository
from symphony.domain.errors import AlreadyExists, NotFound
from symphony.domain.fields import comparison_key
from symphony.domain.reach import Reach
from symphony.domain.unit_of_work import TransactionConflict
from symphony.infrastructure.database.connection import Connection
from symphony.infrastructure.database.entity_mapping import EntityMapping, ListScope
from symphony.infrastructure.database.errors import UniqueViolation
from symphony.infrastructure.database.reach import reach_parameters
from symphony.infrastructure.database.sqlalchemy_internals import Rows, Statement

ESCAPE = "/"
_WILDCARD = re.compile("[%_/]")
_ESCAPED = rf"{ESCAPE}\g<0>"


class SqlAlchemyRepository(Repository[E]):
    """The entities of one noun, in its table."""

    def __init__(self, connection: Connection, mapping: EntityMapping[E]) -> None:
        self._connection = connection
        self._mapping = mapping

    async def get(self, reach: Reach, entity_id: UUID) -> E:
        entity = await self._one(
            self._mapping.select_one, **reach_parameters(reach), entity_id=entity_id
        )
        if entity is None:
            raise NotFound(self._mapping.noun, entity_id)
        return entity

    async def get_for_update(self, reach: Reach, entity_id: UUID) -> E:
        statement = self._mapping.select_one_for_update
        entity = await self._one(statement, **reach_parameters(reach), entity_id=entity_id)
        if entity is None:
            # After it has waited for the lock, PostgreSQL reads the locked row again, but not the
            # workspace that it joins: it does not find an entity that was moved meanwhile.
            await self.get(reach, entity_id)
            raise TransactionConflict
        return entity

    async def add(self, entity: E) -> None:
        await self._write(self._mapping.insert, self._mapping.to_values(entity))

    async def save(self, entity: E) -> None:
        expected = {"entity_id": entity.id, "expected_version": entity.version - 1}
        values = self._mapping.to_values(entity)
        if not await self._write(self._mapping.update, expected | values):
            raise TransactionConflict

    async def remove(self, entity: E) -> None:
        if not await self._connection.fetch(self._mapping.delete, {"entity_id": entity.id}):
            raise TransactionConflict

    async def _one(self, statement: Select[Any], **parameters: object) -> E | None:
        rows = await self._connection.fetch(statement, parameters)
        return self._mapping.to_entity(rows[0]) if rows else None

    async def _write(self, statement: Statement, parameters: dict[str, Any]) -> Rows:
        try:
            return await self._connection.fetch(statement, parameters)
        except UniqueViolation:
            if not self._mapping.unique_names:
                raise
            noun = self._mapping.noun
            raise AlreadyExists(
                f"{noun}-name", f"Another {noun} there has this name; choose another one."
            ) from None


class SqlAlchemyPagedRepository(SqlAlchemyRepository[E], PagedRepository[E]):
    """The entities of one noun that has a parent, with lists of a parent's entities."""

    async def get_unmoved_for_update(self, reach: Reach, found: E) -> E:
        entity = await self.get_for_update(reach, found.id)
        if self._mapping.parent_id(entity) != self._mapping.parent_id(found):
            raise TransactionConflict
        return entity

    async def page(self, reach: Reach, parent_id: UUID, request: PageRequest) -> Page[E]:
        page = await self._page(self._mapping.in_parent, reach, parent_id, request)
        if not page.items:
            await self._require(self._mapping.container, reach, parent_id)
        return page

    async def _page(
        self,
        scope: ListScope,
        reach: Reach,
        parent_id: UUID,
        request: PageRequest,
        **parameters: object,
    ) -> Page[E]:
        """Return a page of a list; the statement of its scope has the other parameters."""
        statement = _page_statement(
            self._mapping,
            scope,
            request.sort,
            descending=request.descending,
            has_position=request.after is not None,
            has_text=bool(request.text),
            has_time=request.updated_since is not None,
            filters=tuple(sorted(request.filters)),
        )
        parameters |= reach_parameters(reach) | _page_parameters(request)
        parameters["parent_id"] = parent_id
        rows = await self._connection.fetch(statement, parameters)
        entities = [self._mapping.to_entity(row) for row in rows]
        items = entities[: request.limit]
        has_more = len(entities) > request.limit
        return Page(items, position_of(items[-1], request.sort) if has_more else None)

    async def _require(self, mapping: EntityMapping[Any], reach: Reach, entity_id: UUID) -> None:
        """Check that what an empty list is about exists. Raises: NotFound."""
        parameters = reach_parameters(reach) | {"entity_id": entity_id}
        if not await self._connection.fetch(mapping.select_one, parameters):
            raise NotFound(mapping.noun, entity_id)


@lru_cache(maxsize=256)
def _page_statement(
    mapping: EntityMapping[Any],
    scope: ListScope,
    sort: str,
    *,
    descending: bool,
    has_position: bool,
    has_text: bool,
    has_time: bool,
    filters: tuple[str, ...],
) -> Select[Any]:
    """Select a page of the caller's entities in a scope; cached by the shape of the request."""
    sorted_by = mapping.table.c["name_key" if sort == "name" else sort]
    own_id = mapping.table.c.id
    # Names are unique among siblings where the scope says so; otherwise the id breaks ties.
    keys = [sorted_by] if sort == "name" and scope.unique_names else [sorted_by, own_id]
    order = [key.desc() if descending else key.asc() for key in keys]
    statement = scope.select.order_by(*order)
    if has_position:
        values: list[BindParameter[Any]] = [
            bindparam("after_value", type_=sorted_by.type),
            bindparam("after_id", type_=own_id.type),
        ]
        own, after = _row(keys), _row(values[: len(keys)])
        statement = statement.where(own < after if descending else own > after)
    if has_text:
        pattern = bindparam("pattern", type_=mapping.table.c.name_key.type)
        statement = statement.where(mapping.table.c.name_key.like(pattern, escape=ESCAPE))
    if has_time:
        updated_at = mapping.table.c.updated_at
        since = bindparam("updated_since", type_=updated_at.type)
        statement = statement.where(updated_at >= since)
    for field in filters:
        is_wanted = mapping.read_expression(field) == bindparam(f"only_{field}")
        statement = statement.where(is_wanted)
    statement = statement.limit(bindparam("at_most", type_=Integer()))
    if not scope.is_sorted:
        return statement
    ids = statement.with_only_columns(own_id).correlate(None)
    return mapping.select_all.where(own_id.in_(ids)).order_by(*order)


def _page_parameters(request: PageRequest) -> dict[str, Any]:
    # One more than the limit shows whether there is a next page.
    parameters: dict[str, Any] = {"at_most": request.limit + 1}
    if request.after is not None:
        parameters |= {"after_value": request.after.value, "after_id": request.after.id}
    if request.text:
        parameters["pattern"] = containing(comparison_key(request.text))
    if request.updated_since is not None:
        parameters["updated_since"] = request.updated_since
    return parameters | {f"only_{field}": value for field, value in request.filters.items()}


def containing(text: str) -> str:
    """Return the pattern of LIKE, with `ESCAPE`, for what contains a text."""
    return f"%{_WILDCARD.sub(_ESCAPED, text)}%"


def _row(values: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    return values[0] if len(values) == 1 else tuple_(*values)


def position_of(entity: Any, sort: str) -> Position:
    value: str | datetime = entity.name_key if sort == "name" else getattr(entity, sort)
    return Position(value, entity.id)

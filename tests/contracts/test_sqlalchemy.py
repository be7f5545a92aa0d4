"""The internals of SQLAlchemy that `sqlalchemy_internals.py` and the engines' pools build on.

A failure means that a new version of SQLAlchemy behaves differently; the messages name the adapter
to adapt. `docs/decisions/dependencies.md` lists them.
"""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiosqlite
import pytest
from sqlalchemy import (
    Column,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Uuid,
    bindparam,
    select,
)
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator

from symphony.infrastructure.database.column_types import JsonObject, UtcDateTime
from symphony.infrastructure.database.engine import Engines, create_engines, mark_generation_lost
from symphony.infrastructure.database.sqlalchemy_internals import (
    DirectlyReadType,
    Prepared,
    equal_dialect,
    prepare,
    upsert,
)

ADAPTER = "adapt symphony/infrastructure/database/sqlalchemy_internals.py"
POOLS = "adapt _replace_lost_connections in symphony/infrastructure/database/engine.py"
DIALECTS = [PGDialect_asyncpg(), SQLiteDialect_aiosqlite()]
both = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("content", LargeBinary),
    Column("moment", UtcDateTime),
    Column("facts", JsonObject),
)
FIND = (
    select(THINGS.c.id, THINGS.c.moment, THINGS.c.facts)
    .where(THINGS.c.moment > bindparam("since"), THINGS.c.id == bindparam("own_id"))
    .where(THINGS.c.content == b"fixed")
)


@pytest.mark.every_store
async def test_the_dialects_of_two_engines_of_a_database_compile_alike(engines: Engines) -> None:
    dialects = list[Dialect]()
    for engine in (engines.read, engines.write):
        async with engine.connect():  # the first connection completes the dialect
            dialects.append(engine.dialect)
    one, other = dialects
    assert equal_dialect(one) is equal_dialect(other), ADAPTER
    assert prepare(FIND, one).sql == prepare(FIND, other).sql, ADAPTER


@both
def test_a_compiled_statement_knows_its_parameters_in_order(dialect: Dialect) -> None:
    compiled = FIND.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler), ADAPTER
    names = list(compiled.positiontup or ())
    assert names[:2] == ["since", "own_id"], f"positiontup is not the order of binds: {ADAPTER}"
    since, own_id, fixed = (compiled.binds[name] for name in names)
    assert (since.required, own_id.required, fixed.required) == (True, True, False), ADAPTER
    assert fixed.value == b"fixed", f"a bind no longer has its value: {ADAPTER}"
    assert [type(each.type) for each in (since, own_id)] == [UtcDateTime, Integer], ADAPTER
    placeholders = ("$1", "$2", "$3") if dialect.name == "postgresql" else ("?", "?", "?")
    text, places = str(compiled), list[int]()
    for placeholder in placeholders:
        places.append(text.index(placeholder, places[-1] + 1 if places else 0))
    assert places == sorted(places), f"the placeholders are not in the order of binds: {ADAPTER}"


@both
def test_a_prepared_statement_has_the_drivers_arguments(dialect: Dialect) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    arguments = prepare(FIND, dialect).arguments({"own_id": 7, "since": moment})
    is_sqlite = dialect.name == "sqlite"
    expected = "2026-01-02 00:00:00.000000" if is_sqlite else moment
    assert arguments == [expected, 7, b"fixed"], ADAPTER
    with pytest.raises(KeyError):
        prepare(FIND, dialect).arguments({"own_id": 7})


@both
def test_the_types_convert_what_the_driver_returns(dialect: Dialect) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    is_sqlite = dialect.name == "sqlite"
    row = (7, "2026-01-02 00:00:00.000000", '{"a":1}') if is_sqlite else (7, moment, {"a": 1})
    assert prepare(FIND, dialect).convert([row]) == [[7, moment, {"a": 1}]], ADAPTER


@both
def test_an_id_needs_a_conversion_on_sqlite_alone(dialect: Dialect) -> None:
    table = Table("owners", MetaData(), Column("id", Uuid))
    prepared: Prepared = prepare(select(table.c.id).where(table.c.id == bindparam("own")), dialect)
    value = UUID(int=7)
    is_sqlite = dialect.name == "sqlite"
    assert prepared.arguments({"own": value}) == [value.hex if is_sqlite else value], ADAPTER
    stored = value.hex if is_sqlite else value
    assert prepared.convert([(stored,)])[0][0] == value, ADAPTER


def test_sqlites_compiler_accepts_postgresqls_insert() -> None:
    insert = upsert(THINGS).values(id=bindparam("own_id"), content=bindparam("own_content"))
    update = insert.on_conflict_do_update(
        index_elements=[THINGS.c.id], set_={"content": insert.excluded.content}
    )
    nothing = insert.on_conflict_do_nothing()
    for statement, end in ((update, "SET content = excluded.content"), (nothing, "DO NOTHING")):
        for dialect in DIALECTS:
            sql = prepare(statement, dialect).sql
            assert "ON CONFLICT" in sql, ADAPTER
            assert end in sql, ADAPTER


def test_a_type_decorator_is_asked_for_its_result_processor() -> None:
    class Shouted(DirectlyReadType[str]):
        impl = LargeBinary
        cache_ok = True

        def reader(self, dialect: Dialect) -> Any:
            return str.upper

    assert issubclass(DirectlyReadType, TypeDecorator)
    for dialect in DIALECTS:
        processor = Shouted().dialect_impl(dialect).result_processor(dialect, None)
        assert processor is str.upper, f"result_processor is not ours: {ADAPTER}"
    assert Shouted().python_type is bytes, f"impl_instance has no python_type: {ADAPTER}"


@pytest.fixture
async def engines() -> AsyncGenerator[Engines]:
    engines = create_engines("sqlite://")
    yield engines
    await engines.dispose()


async def test_the_pool_replaces_lost_connections_when_they_are_taken(engines: Engines) -> None:
    """Also those that are in use, which come back to the pool; newer ones are kept."""
    held, broken = [await engines.read.raw_connection() for _ in range(2)]
    drivers = [each.driver_connection for each in (held, broken)]
    mark_generation_lost(broken)
    for each in (held, broken):
        each.close()
    fresh = [await engines.read.raw_connection() for _ in range(2)]
    kept = [each.driver_connection for each in fresh]
    assert not {*map(id, kept)} & {*map(id, drivers)}, f"a lost connection was reused: {POOLS}"
    for each in fresh:
        each.close()
    again = await engines.read.raw_connection()
    assert again.driver_connection in kept, f"a connection of the new generation was lost: {POOLS}"
    again.close()


async def test_a_pooled_connection_shows_the_drivers_own(engines: Engines) -> None:
    pooled = await engines.read.raw_connection()
    try:
        assert isinstance(pooled.driver_connection, aiosqlite.Connection), ADAPTER
    finally:
        pooled.close()

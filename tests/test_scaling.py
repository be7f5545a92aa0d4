"""docs/scaling.md lists every table with its way to the owner, and every statement without one."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

from sqlalchemy import Column, Select, Table, UniqueConstraint, UpdateBase
from sqlalchemy.dialects import postgresql

from symphony.infrastructure import database
from symphony.infrastructure.database.models import Model
from tests.support.checkout import TOP
from tests.support.documents import rows

PAGE = (TOP / "docs" / "scaling.md").read_text("utf-8")
TABLES = Model.metadata.tables
OWNERS = TABLES["user_profiles"]
OWNER = {"owner_id", "user_id"}
# Parameters with the id of a row of one owner, who was found before.
ROWS = {"entity_id", "vault_id", "new_vault_id", "new_repo_id", "new_machine_id", "token_id"}


def test_every_table_is_listed_with_its_way_to_the_owner() -> None:
    listed = {
        row[0].split("`")[1]: row[3] for row in rows(PAGE, "`[a-z_]+`(,.*)?") if len(row) == 4
    }
    assert listed == {name: way_to_owner(table) for name, table in TABLES.items()}


def test_every_statement_that_names_no_owner_is_listed() -> None:
    listed = {
        (module, name)
        for row in rows(PAGE, "`[a-z._]+`: `_.*")
        for module in re.findall(r"`([a-z._]+)`:", row[0])
        for name in re.findall(r"`(_[A-Z_]+)`", row[0])
    }
    found = dict(statements())
    without_owner = {key for key, parameters in found.items() if not parameters & OWNER}
    assert listed == {key for key in without_owner if not found[key] & ROWS}
    assert len(found) > 60


def test_every_key_that_is_unique_over_all_owners_is_named() -> None:
    (paragraph,) = re.findall(r"^Unique over all owners.*\n?(?:.+\n)*", PAGE, re.MULTILINE)
    assert set(re.findall(r"`([a-z_]+)`", paragraph)) == {
        column.name
        for table in TABLES.values()
        for key in (table.primary_key, *unique_constraints(table))
        for column in key.columns
        if len(key.columns) == 1 and column.type.python_type in {str, bytes}
    }


def unique_constraints(table: Table) -> list[UniqueConstraint]:
    return [each for each in table.constraints if isinstance(each, UniqueConstraint)]


def way_to_owner(table: Table) -> str:
    """The last cell of a table's row."""
    if table is OWNERS:
        return "contains: `id`"
    parents = sorted(parent_columns(table), key=lambda each: each.name)
    owned = [each.name for each in parents if target(each) is OWNERS]
    if owned:
        return f"contains: `{owned[0]}`"
    leading = [each.name for each in parents if way_to_owner(target(each)) != "none"]
    return f"leads: {', '.join(f'`{name}`' for name in leading)}" if leading else "none"


def parent_columns(table: Table) -> list[Column[object]]:
    """The columns with foreign keys to other tables."""
    return [each for each in table.columns if each.foreign_keys and target(each) is not table]


def target(column: Column[object]) -> Table:
    (key,) = column.foreign_keys
    return key.column.table


def statements() -> Iterator[tuple[tuple[str, str], set[str]]]:
    """Yield module, name and parameters of each constant that is a statement on tables."""
    dialect = postgresql.dialect()
    seen = set[int]()
    for info in pkgutil.walk_packages(database.__path__, f"{database.__name__}."):
        for name, value in vars(importlib.import_module(info.name)).items():
            known = id(value)
            if not name.isupper() or known in seen or not isinstance(value, Select | UpdateBase):
                continue  # names in lower case are parts of statements
            seen.add(known)
            compiled = value.compile(dialect=dialect)
            if any(table in str(compiled) for table in TABLES):
                module = info.name.removeprefix(f"{database.__name__}.")
                yield (module, name), set(compiled.binds)

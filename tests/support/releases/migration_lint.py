"""A lint of the statements that a migration really runs on PostgreSQL: what blocks requests.

squawk has the rules; those that it lacks are here.
"""

import json
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from symphony.infrastructure.database.engine import Engines

_SQUAWK = Path(sys.executable).with_name("squawk")
_EXCLUDED = (
    "require-statement-timeout",  # a long statement that blocks nobody may take its time
    # Who still uses it is not in the statement: `compatible_with` and its test answer for it.
    "ban-drop-column",
    "ban-drop-table",
)
_PREFERENCE = "prefer-"  # of types, and of IF NOT EXISTS, which a transaction does not need
_BREAKS_THE_FORMER_RELEASE = ("renaming-column", "renaming-table", "adding-required-field")
_CHANGES = re.compile(
    r"\s*(ALTER|CREATE|DROP|UPDATE|DELETE|INSERT|TRUNCATE|LOCK|VACUUM|CLUSTER|REINDEX|REFRESH"
    r"|SET lock_timeout)\b",
    re.IGNORECASE,
)
_OF_THE_REVISION = re.compile(r"\b(alembic_version|schema_compatibility)\b")
_OWN_RULES = {
    "column-with-check": r"ALTER TABLE .*\bADD COLUMN\b.*\bCHECK\b",
    "set-not-null": r"ALTER TABLE .*\bSET NOT NULL\b",
    "blocking-command": r"(TRUNCATE|LOCK|CLUSTER|VACUUM FULL|REFRESH MATERIALIZED VIEW(?! CONC))\b",
    "unlimited-change-of-rows": r"(UPDATE|DELETE)\b(?!.*\bLIMIT \d+)",
}
_CHANGE_OF_ROWS = re.compile(r"(UPDATE|DELETE)\b")


@dataclass(frozen=True, slots=True)
class Step:
    """A statement of a migration, and whether it is in the transaction of its revision."""

    statement: str
    is_in_transaction: bool


@contextmanager
def recorded_steps(engines: Engines) -> Generator[list[Step]]:
    """Collect the statements that migrations run in this block, without those that only read."""
    steps: list[Step] = []

    def record(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _CHANGES.match(statement) and not _OF_THE_REVISION.search(statement):
            level = connection.get_execution_options().get("isolation_level")
            steps.append(Step(" ".join(statement.split()), level != "AUTOCOMMIT"))

    engine = engines.write.sync_engine
    event.listen(engine, "before_cursor_execute", record)
    try:
        yield steps
    finally:
        event.remove(engine, "before_cursor_execute", record)


def blocking_rules(steps: Sequence[Step], *, is_compatible: bool) -> set[str]:
    """Return the names of the rules that the statements of one revision violate.

    `is_compatible` says that programs of the revision before can serve on it.
    """
    found = _squawk(steps, () if is_compatible else _BREAKS_THE_FORMER_RELEASE)
    is_in_revision = False
    for step in steps:
        statement = step.statement
        for name, rule in _OWN_RULES.items():
            if re.match(rule, statement, re.IGNORECASE):
                found.add(name)
        if statement.startswith("SET "):
            continue
        if step.is_in_transaction:
            is_in_revision = True
            if _CHANGE_OF_ROWS.match(statement):
                found.add("rows-locked-until-the-end")
        elif is_in_revision:
            # An interrupted migration would repeat what came before, which is committed already.
            found.add("online-step-after-others")
    return found


def _squawk(steps: Sequence[Step], excluded: Sequence[str]) -> set[str]:
    lines: list[str] = []
    is_open = False
    for step in (*steps, Step("", is_in_transaction=False)):
        if step.is_in_transaction != is_open:
            lines.append("BEGIN;" if step.is_in_transaction else "COMMIT;")
            is_open = step.is_in_transaction
        lines.append(f"{step.statement};" if step.statement else "")
    finished = subprocess.run(  # noqa: S603 - a tool of the development environment
        [
            *(_SQUAWK, "--reporter", "json", "--pg-version", "15"),
            *("--exclude", ",".join((*_EXCLUDED, *excluded))),
        ],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode in {0, 1}, finished.stderr
    names: set[str] = {each["rule_name"] for each in json.loads(finished.stdout)}
    return {name for name in names if not name.startswith(_PREFERENCE)}

"""When the server that runs a statement was started, as a column of the statement.

No two servers have the same time: it tells one primary from the next, also through a pooler.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import FunctionElement
from sqlalchemy.ext.compiler import compiles

from symphony.infrastructure.database.column_types import UtcDateTime


class ServerStart(FunctionElement[datetime]):
    """The time to the microsecond; NULL on SQLite, which has no servers."""

    inherit_cache = True
    type = UtcDateTime()
    name = "server_start"


@compiles(ServerStart, "postgresql")
def _in_postgresql(*_: object, **__: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return "pg_postmaster_start_time()"


@compiles(ServerStart, "sqlite")
def _in_sqlite(*_: object, **__: Any) -> str:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
    return "NULL"


SERVER_START = ServerStart()

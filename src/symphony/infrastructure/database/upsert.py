"""INSERT … ON CONFLICT: both databases have it, and SQLAlchemy has it once for each."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from symphony.infrastructure.database.sessions import Session

Insert = postgresql.Insert | sqlite.Insert


def insert_for(session: Session, table: Table) -> Insert:
    """An INSERT that can say what to do when the row is there already."""
    if session.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)

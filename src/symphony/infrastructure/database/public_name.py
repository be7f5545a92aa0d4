"""The name of a database for people: no user, no password and no options."""

from typing import cast

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from symphony.infrastructure.database.postgresql.address import DatabaseUrlError
from symphony.infrastructure.database.postgresql.url import SCHEMES, parse_postgresql_url


def public_name(database_url: str) -> str:
    """Return where a database is, as far as its URL says so in a known way."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        return _with_several_hosts(database_url)
    backend = url.get_backend_name()
    if backend == "sqlite":
        return f"SQLite file {url.database}" if url.database else "SQLite in memory"
    host = url.host or cast("str", url.query.get("host", "localhost"))
    port = f":{url.port}" if url.port else ""
    return f"{backend}://{host}{port}/{url.database or ''}"


def _with_several_hosts(database_url: str) -> str:
    """Return the hosts of a URL that SQLAlchemy cannot parse, or its scheme."""
    scheme = database_url.partition(":")[0]
    if not database_url.startswith(SCHEMES):
        return scheme
    try:
        address = parse_postgresql_url(database_url)
    except DatabaseUrlError:
        return scheme
    return f"postgresql://{address.authority}/{address.database}"

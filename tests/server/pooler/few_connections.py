"""A real pgbouncer in front of the databases of the tests, with few connections to them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from scripts.support.pgbouncer import PGBOUNCER, Pgbouncer, running_pgbouncer
from tests.support import postgres
from tests.support.prerequisites import missing

SERVER_CONNECTIONS = 3
"""Far fewer than the ten of each process, so that these are shared all the time."""


@asynccontextmanager
async def few_connections(
    count: int = SERVER_CONNECTIONS, **settings: str
) -> AsyncGenerator[Pgbouncer]:
    """A pgbouncer with this many connections to each database."""
    if PGBOUNCER is None:
        missing("pgbouncer is not on the path: apt-get install pgbouncer")
    server = postgres.address("postgres")
    async with running_pgbouncer(server, default_pool_size=count, **settings) as pgbouncer:
        yield pgbouncer

"""The databases of the tests through a pgbouncer, when `THROUGH=pgbouncer` (`just test-pooler`)."""

import os
from pathlib import Path

from scripts.support.pgbouncer import PGBOUNCER, Pgbouncer, new_pgbouncer
from tests.support.prerequisites import missing

_WANTED = "THROUGH"
_PORT = "TEST_PGBOUNCER"  # pytest-xdist's workers inherit it
_SERVER_CONNECTIONS = 3  # fewer than the ten of an engine, so that they are shared


def is_wanted() -> bool:
    return os.environ.get(_WANTED) == "pgbouncer"


async def start_pgbouncer(server: str) -> Pgbouncer | None:
    """Start the one pgbouncer of a test run, in front of a server; None without the program."""
    if PGBOUNCER is None:
        return None
    # The tests open thousands of connections, and SCRAM takes milliseconds for each.
    pgbouncer = new_pgbouncer(server, default_pool_size=_SERVER_CONNECTIONS, auth_type="trust")
    await pgbouncer.start()
    os.environ[_PORT] = str(pgbouncer.port)
    return pgbouncer


def pgbouncer_of_run() -> Pgbouncer | None:
    """The running pgbouncer; None when the tests use PostgreSQL directly.

    Without the program, the test is skipped, or fails in continuous integration.
    """
    if not is_wanted():
        return None
    if PGBOUNCER is None:
        missing("pgbouncer is not on the path: apt-get install pgbouncer")
    return Pgbouncer(Path(), int(os.environ[_PORT]))

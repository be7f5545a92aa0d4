"""Figures for sizing: what a process takes, what a request costs PostgreSQL, what a user stores.

docs/scaling.md and `deploy/kubernetes/` use them.
"""

import argparse
import base64
import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import command, services
from benchmarks.content import Shape, fill
from benchmarks.databases import running_postgresql
from benchmarks.sizing import footprint, storage


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000, help="whose rows are measured")
    parser.add_argument("--seconds", type=int, default=10, help="of each load")
    parser.add_argument("--hashes", type=int, default=120, help="of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments), arguments.json)


async def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises: Failed."""
    root = _directory(folder / "dev")
    master_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    with running_postgresql(folder) as server:
        stored_in = await server.database("stored")
        async with services.symphony(
            *(stored_in.address, folder), git_root=root, MASTER_KEY=master_key, REGISTRATION="open"
        ) as service:
            await storage.create_user(service, stored_in, root)
        await storage.copy_user(stored_in, arguments.users - 1)
        stored = await storage.measure(stored_in, arguments.users)

        loaded = await server.database("loaded")
        content = await fill(loaded, Shape(users=50, workspaces=5, repos=60, empty=10))
        async with services.symphony(loaded.address, folder) as service:
            taken = await footprint.measure(
                service, loaded, content, folder, arguments.seconds, arguments.hashes
            )
    return {
        "stored": {name: asdict(each) for name, each in stored.items()},
        "taken": {name: asdict(each) for name, each in taken.items()},
    }


def _directory(path: Path) -> Path:
    path.mkdir()
    return path.resolve()


if __name__ == "__main__":
    sys.exit(main())

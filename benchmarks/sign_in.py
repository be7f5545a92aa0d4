"""Whether the time of a failed sign-in tells if the user exists.

Both cases are measured in turn at one server: a wrong password of a known user, and any password of
an unknown one. Without a hash for unknown users the second would take a fraction of the first, and
anybody could find out user names with a clock.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks import command, services
from benchmarks.databases import sqlite_database
from benchmarks.services import Failed
from benchmarks.tables import print_table

_PASSWORD = "correct horse battery staple"  # noqa: S105 - not a secret
_WRONG_PASSWORD = "battery staple horse correct"  # noqa: S105 - not a secret
_MAX_RATIO = 2  # of the medians; without a hash it is above 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=40, help="one sign-in of each kind per user")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments.users), arguments.json)


async def measure(folder: Path, users: int) -> dict[str, Any]:
    """Raises: Failed when the two times differ."""
    database = await sqlite_database(folder / "sign-in.sqlite3")
    milliseconds: dict[str, list[float]] = {"known user": [], "unknown user": []}
    async with (
        services.symphony(database.address, folder) as service,
        httpx.AsyncClient(base_url=f"{service.address}/api/v1", timeout=60) as client,
    ):
        for number in range(users):
            body = {"username": f"user_{number}", "email": f"user_{number}@example.org"}
            answer = await client.post("/user-profiles", json=body | {"password": _PASSWORD})
            if answer.status_code != 201:
                raise Failed(f"a sign-up is answered with {answer.status_code}: {answer.text}")
        # A user name of its own for each attempt: repeated failures would cause pauses.
        for number in range(users):
            for kind, name in {"known user": "user", "unknown user": "nobody"}.items():
                milliseconds[kind].append(await _failed_sign_in(client, f"{name}_{number}"))
    return _report(milliseconds)


async def _failed_sign_in(client: httpx.AsyncClient, username: str) -> float:
    """The milliseconds of a sign-in with a wrong password. Raises: Failed."""
    form = {"username": username, "password": _WRONG_PASSWORD}
    start = time.perf_counter()
    answer = await client.post("/auth/token", data=form)
    elapsed = time.perf_counter() - start
    if answer.status_code != 401:
        raise Failed(f"a wrong password is answered with {answer.status_code}: {answer.text}")
    return elapsed * 1000


def _report(milliseconds: dict[str, list[float]]) -> dict[str, Any]:
    rows = [
        (kind, f"{statistics.median(each):.1f}", f"{min(each):.1f}", f"{max(each):.1f}")
        for kind, each in milliseconds.items()
    ]
    print_table("Milliseconds of a failed sign-in", ("", "median", "lowest", "highest"), rows)
    known, unknown = (statistics.median(each) for each in milliseconds.values())
    ratio = unknown / known
    print(f"\nunknown/known: {ratio:.2f}")
    if not 1 / _MAX_RATIO < ratio < _MAX_RATIO:
        raise Failed(f"the time of a failed sign-in tells whether the user exists: {ratio:.2f}")
    return {"milliseconds": milliseconds, "ratio": ratio}


if __name__ == "__main__":
    sys.exit(main())

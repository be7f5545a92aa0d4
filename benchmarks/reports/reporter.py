"""How long `symphony report` takes for many repositories, and how much memory.

Symphony and the reporter run as processes. Reports with and without what the last one remembered
alternate, so that what else happens on the machine concerns both.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks import command, services
from benchmarks.databases import sqlite_database
from benchmarks.services import Failed
from benchmarks.tables import print_table
from scripts.support.git_repository import Repository
from scripts.support.pushed_history import CHANGED_FILE, create_repository
from scripts.support.service_process import SYMPHONY

_PASSWORD = "correct horse battery staple"  # noqa: S105 - not a secret
_REPOSITORIES, _FILES, _COMMITS, _BRANCHES, _CHANGED = 500, 200, 100, 5, 10
_SETTLED_AFTER = 3  # seconds: what changed later is not remembered
_ROUNDS = 5
_INTERVAL = 0.02  # seconds between two measurements of the memory
_FIRST, _SAME, _CHANGES, _FORGOTTEN = (
    "the first report",
    "nothing has changed",
    "little has changed",
    "little has changed, nothing is remembered",
)


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    processor_seconds: float
    mebibytes: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repos", type=int, default=_REPOSITORIES, help="repositories")
    parser.add_argument("--files", type=int, default=_FILES, help="files in each repository")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="reports of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    arguments = parser.parse_args()
    return command.run(lambda folder: measure(folder, arguments), arguments.json)


async def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises: Failed."""
    dev = _create_repositories(folder, arguments)
    await asyncio.sleep(_SETTLED_AFTER)
    database = await sqlite_database(folder / "report.sqlite3")
    async with (
        services.symphony(database.address, folder) as service,
        httpx.AsyncClient(base_url=f"{service.address}/api/v1", timeout=60) as client,
    ):
        token = await _api_token(client)
        reporter = _Reporter(dev, folder / "state", service.address, token, arguments.repos)
        runs: dict[str, list[_Run]] = {_FIRST: [reporter.run()]}
        for _ in range(arguments.rounds):
            runs.setdefault(_SAME, []).append(reporter.run())
            for kind in (_CHANGES, _FORGOTTEN):
                _change(dev, min(_CHANGED, arguments.repos))
                if kind == _FORGOTTEN:
                    reporter.forget()
                runs.setdefault(kind, []).append(reporter.run())
    return _figures(runs, arguments.repos)


def _figures(runs: dict[str, list[_Run]], repos: int) -> dict[str, Any]:
    seconds = {kind: [each.seconds for each in runs[kind]] for kind in runs}
    processor = {kind: [each.processor_seconds for each in runs[kind]] for kind in runs}
    for title, figures in (("Seconds", seconds), ("Seconds of processor time", processor)):
        rows = [
            (kind, *(f"{value:.1f}" for value in (statistics.median(each), min(each), max(each))))
            for kind, each in figures.items()
        ]
        head = ("", "median", "lowest", "highest")
        print_table(f"{title} for {repos} repositories", head, rows)
    mebibytes = max(each.mebibytes for kind in runs.values() for each in kind)
    ratio = statistics.median(processor[_CHANGES]) / statistics.median(processor[_FORGOTTEN])
    print(f"\nmemory of the reporter: {mebibytes:.0f} MiB at most")
    print(f"processor time with/without what is remembered: {ratio:.2f}")
    return {"seconds": seconds, "processor": processor, "mebibytes": mebibytes, "ratio": ratio}


class _Reporter:
    """`symphony report`, with a state directory of its own."""

    def __init__(self, dev: Path, state: Path, url: str, token: str, repos: int) -> None:
        self._command = [
            *(str(SYMPHONY), "report", "--root", str(dev), "--json"),
            *("--url", url, "--token", token),
        ]
        self._state = state
        self._repos = repos

    def run(self) -> _Run:
        """Report once. Raises: Failed."""
        environment = {**os.environ, "XDG_STATE_HOME": str(self._state)}
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - of this project
            self._command, env=environment, stdout=subprocess.PIPE
        )
        peak = 0
        while (now := _peak_memory(process.pid)) is not None:
            peak = max(peak, now)
            time.sleep(_INTERVAL)
        assert process.stdout is not None  # noqa: S101 - a pipe was requested
        with process.stdout as stdout:
            output = stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode or json.loads(output)["checkouts"] != self._repos:
            raise Failed("a report is not complete")
        return _Run(seconds, usage.ru_utime + usage.ru_stime, peak / 1024)

    def forget(self) -> None:
        for file in self._state.rglob("history.gz"):
            file.unlink()


def _peak_memory(pid: int) -> int | None:
    """Return the most resident memory of a process so far, in KiB; None when it has ended.

    `ru_maxrss` would count what this process has, of which the other one was forked.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
    return None if found is None else int(found[1])


def _create_repositories(folder: Path, arguments: argparse.Namespace) -> Path:
    dev = folder.resolve() / "dev"
    dev.mkdir()
    for number in range(arguments.repos):
        path = dev / f"repo-{number}"
        text = f"content of {path.name}\n"
        files = {f"directory-{each % 20}/file-{each}": text for each in range(arguments.files)}
        create_repository(path, commits=_COMMITS, branches=_BRANCHES, files=files)
    return dev


def _change(dev: Path, repos: int) -> None:
    """Commit in some repositories, and edit a file in others."""
    for number in range(repos):
        repository = Repository(dev / f"repo-{number}")
        repository.write(CHANGED_FILE, f"{time.time_ns()}\n")
        if number % 2:
            repository.git("commit", "--quiet", "--all", "--message=change")


async def _api_token(client: httpx.AsyncClient) -> str:
    """Raises: Failed."""
    body = {"username": "ada", "email": "ada@example.org", "password": _PASSWORD}
    await _succeeded(client, "/user-profiles", json=body)
    form = {"username": "ada", "password": _PASSWORD}
    token = await _succeeded(client, "/auth/token", data=form)
    client.headers["Authorization"] = f"Bearer {token['access_token']}"
    body = {"name": "reporter", "scopes": ["read", "write"]}
    return (await _succeeded(client, "/api-tokens", json=body))["token"]


async def _succeeded(client: httpx.AsyncClient, path: str, **content: Any) -> Any:
    answer = await client.post(path, **content)
    if not answer.is_success:
        raise Failed(f"{path} is answered with {answer.status_code}")
    return answer.json()


if __name__ == "__main__":
    sys.exit(main())

"""Commands in this process: starting Python for each one would take ten times as long."""

import asyncio
import logging
import multiprocessing
import os
import secrets
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol
from unittest.mock import patch

import pytest
import structlog
from typer.testing import CliRunner

from symphony.cli import app
from tests.support import postgres
from tests.support.server import environment

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of a command."""

    status: int
    output: str
    errors: str


class Symphony(Protocol):
    """Runs `symphony` with arguments; settings are named without their prefix."""

    def __call__(self, *arguments: str, stdin: str = "", **settings: str) -> Finished: ...


@contextmanager
def _in_time() -> Generator[None]:
    """Limit the time: a `serve` that is not refused, against expectation, would never return."""

    def too_late(*_: object) -> NoReturn:
        for worker in multiprocessing.active_children():
            worker.kill()
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(20)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def symphony(data_dir: Path) -> Generator[Symphony]:
    def run(*arguments: str, stdin: str = "", **settings: str) -> Finished:
        with patch.dict(os.environ, environment(data_dir, **settings)), _in_time():
            result = CliRunner().invoke(app, arguments, input=stdin)
        # An unexpected exception would be a traceback on the operator's terminal.
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Finished(result.exit_code, result.stdout, result.stderr)

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stopping = {each: signal.getsignal(each) for each in _STOPPING}
    yield run
    for number, handler in stopping.items():
        signal.signal(number, handler)
    root.handlers[:], root.level = handlers, level  # a command redirects all logs to its stderr
    structlog.reset_defaults()


@pytest.fixture
def empty_postgresql() -> Generator[str]:
    """The URL of a database without a schema."""
    name = f"test_{secrets.token_hex(8)}"
    yield asyncio.run(postgres.create_database(name, migrated=False))
    asyncio.run(postgres.drop_database(name))


@pytest.fixture(params=[pytest.param("postgresql", marks=pytest.mark.long), "sqlite-file"])
def database_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings for a database without a schema; none for an embedded one."""
    if request.param == "sqlite-file":
        return {}
    return {
        "DATABASE_URL": request.getfixturevalue("empty_postgresql"),
        "SECRET_KEY": "a secret that is only good for tests, and long enough",
    }


def refusal(finished: Finished) -> str:
    """The one line on standard error with which a command was refused."""
    assert finished.status != 0
    assert finished.output == ""
    assert finished.errors.startswith("symphony: ")
    assert finished.errors.count("\n") == 1
    return finished.errors.removeprefix("symphony: ").rstrip()

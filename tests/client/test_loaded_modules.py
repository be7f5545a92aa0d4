"""What commands load: the server, its libraries and pydantic take most of a second."""

import json
import subprocess
import sys

import pytest

from tests.client.conftest import Client

LARGE = {
    "alembic", "aiosqlite", "argon2", "asyncio", "asyncpg", "cryptography", "fastapi", "httptools",
    "httpx", "jwt", "pydantic", "pydantic_core", "pydantic_settings", "prometheus_client",
    "sqlalchemy", "starlette", "structlog", "uvicorn",
}  # fmt: skip
SERVER = {"api", "application", "bootstrap", "config", "infrastructure", "main", "serving", "logs"}
LIST_MODULES = """
import json, sys
sys.argv = ["symphony", *sys.argv[1:]]
from symphony.start import command
try:
    command()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["board", "--workspace", "Thesis"], ["repos", "list"], ["whoami"]]
)
def test_help_and_the_client_load_neither_the_server_nor_its_libraries(
    arguments: list[str], symphony: Client
) -> None:
    finished = subprocess.run(  # noqa: S603
        [sys.executable, "-c", LIST_MODULES, *arguments],
        env=dict(symphony.environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    modules: list[str] = json.loads(finished.stderr.splitlines()[-1])
    assert {each.partition(".")[0] for each in modules} & LARGE == set()
    assert {
        each.split(".")[1] for each in modules if each.startswith("symphony.")
    } & SERVER == set()
    assert not any(each.startswith("rich") for each in modules)  # only for terminals
    assert len(modules) < 260

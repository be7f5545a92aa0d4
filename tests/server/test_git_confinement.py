"""A service without Landlock: it refuses git roots of others, unless the operator trusts them."""

import asyncio
import errno
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import httpx
import pytest

from scripts.support.polling import until
from scripts.support.ports import free_port
from tests.support.checkout import TOP
from tests.support.inspections import needs_landlock
from tests.support.server import SYMPHONY, environment, running_server

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="seccomp is a part of Linux"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    root = tmp_path / "root"
    root.mkdir()
    return root


def set_mode(path: Path, mode: int) -> None:
    path.chmod(mode)


async def _start(
    number: int, data: Path, *arguments: str, **settings: str
) -> asyncio.subprocess.Process:
    """Start a service for which each system call of Landlock fails with an error number."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "scripts.support.without_landlock", str(number), str(SYMPHONY), "serve"),
        *arguments,
        env=environment(data, **settings),
        cwd=TOP,
        stdout=PIPE,
        stderr=PIPE,
    )


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
@pytest.mark.parametrize("given", ["option", "variable"])
async def test_a_root_that_others_may_write_to_stops_the_start(
    number: int, given: str, root: Path, tmp_path: Path
) -> None:
    set_mode(root, 0o777)
    if given == "option":
        process = await _start(number, tmp_path / "data", "--git-root", str(root))
        name = "--git-root"
    else:
        process = await _start(number, tmp_path / "data", GIT_ROOTS=str(root))
        name = "SYMPHONY_GIT_ROOTS"
    _, errors = await process.communicate()
    assert process.returncode == 2
    (line,) = errors.decode().splitlines()
    assert f"{name}: {str(root)!r} (owner " in line
    assert "mode 0777) is writable by other users, and this system has no Landlock" in line
    assert "SYMPHONY_GIT_TRUST_ROOTS=true" in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("mode", "settings", "confinement"),
    [(0o755, {}, "owner-only"), (0o777, {"GIT_TRUST_ROOTS": "true"}, "trusted-roots")],
)
async def test_other_roots_are_served_and_the_service_says_that_it_is_not_confined(
    mode: int, settings: dict[str, str], confinement: str, root: Path, tmp_path: Path
) -> None:
    set_mode(root, mode)
    port = free_port()
    process = await _start(
        errno.ENOSYS, tmp_path / "data", *("--port", str(port), "--git-root", str(root)), **settings
    )
    try:
        assert await _confinement(port) == confinement
    finally:
        process.terminate()
        _, errors = await process.communicate()
    warnings = [line for line in errors.decode().splitlines() if "no Landlock" in line]
    assert len(warnings) == 1
    assert f"git_confinement={confinement}" in warnings[0]


async def _confinement(port: int) -> str:
    details = dict[str, str]()

    async def is_ready() -> bool:
        try:
            answer = await client.get("/health/ready")
        except httpx.TransportError:
            return False
        details.update(answer.json()["details"])
        return answer.status_code == 200

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        await until(is_ready, 60)
    return details["git_confinement"]


@needs_landlock
async def test_with_landlock_a_root_that_others_may_write_to_is_served(
    root: Path, tmp_path: Path
) -> None:
    set_mode(root, 0o777)
    async with (
        running_server(tmp_path / "data", "--git-root", str(root)) as server,
        server.client() as client,
    ):
        ready = await client.get("/health/ready")
        assert ready.json()["details"] == {"git_confinement": "landlock"}
    assert "Landlock" not in server.log.read_text()
    assert os.listdir(root) == []

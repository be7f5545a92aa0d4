"""`symphony vault rewrap` replaces the master key while the service runs, also after a kill."""

import asyncio
import os
import secrets
import signal
import sys
from asyncio.subprocess import PIPE
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from symphony.application.app import Application
from symphony.application.orchestrations.rewrap import RewrapAll, rewrap_all
from symphony.bootstrap import prepare
from symphony.config.settings import Settings
from symphony.main import create_app
from tests.conftest import SECRET
from tests.support import postgres
from tests.support.api import User, code, running_api, sign_up
from tests.support.hashing import CHEAP
from tests.support.server import environment

pytestmark = pytest.mark.long

OLD, NEW, OTHER = (urlsafe_b64encode(bytes([each]) * 32).decode() for each in (1, 2, 3))
VAULTS = 3
WITHIN = 60  # seconds
# For each number n that it reads, runs the command in small batches in a child process, which is
# killed before or after the n-th write of the key file or commit; prints the exit status.
PROGRAM = """
import os, signal, sys
from functools import partial

import symphony.main  # once, not in each child
from symphony.application.orchestrations import rewrap
from symphony.cli import app
from symphony.infrastructure.database.unit_of_work import SqlAlchemyRepositories
from symphony.infrastructure.vaults.master_keys import FileMasterKeys

rewrap.RewrapAll = partial(rewrap.RewrapAll, batch=2)
left = 0

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

replace, commit = FileMasterKeys._replace, SqlAlchemyRepositories.commit

def counted_replace(self, keys):
    step()
    replace(self, keys)
    step()

async def counted_commit(self):
    step()
    await commit(self)
    step()

FileMasterKeys._replace = counted_replace
SqlAlchemyRepositories.commit = counted_commit

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        left = int(line)
        app(["vault", "rewrap"])
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


async def run(*command: str | Path, data_dir: Path, **settings: str) -> tuple[int, str]:
    """The status of a command, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(data_dir, **settings), stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(WITHIN):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, (output + errors).decode()


async def rewrap(data_dir: Path, **settings: str) -> tuple[int, str]:
    program = Path(sys.executable).with_name("symphony")
    return await run(program, "vault", "rewrap", data_dir=data_dir, **settings)


async def fill(user: User, name: str) -> str:
    """A vault with an entry in it: its path."""
    path = f"/user-profiles/{user.id}/workspaces"
    workspaces = (await user.get(path)).json()["items"] or [await user.workspace()]
    vault = f"/vaults/{(await user.vault(workspaces[0]['id'], name))['id']}"
    assert (await user.put(f"{vault}/entries/a", {"content": name})).status_code == 201
    return vault


async def contents(user: User, vaults: list[str]) -> list[str]:
    answers = [await user.get(f"{vault}/entries/a") for vault in vaults]
    return [each.json().get("content") or code(each) for each in answers]


async def prepared(data_dir: Path) -> Settings:
    settings = Settings.model_validate({"data_dir": data_dir})
    await prepare(settings)
    return settings


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[tuple[Application, httpx.AsyncClient]]:
    """A service in this process, from the inside and from the outside."""
    app = create_app(settings, costs=CHEAP)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
        ) as client,
    ):
        yield app.state.application, client


@asynccontextmanager
async def killer(data_dir: Path) -> AsyncGenerator[Callable[[int], Awaitable[int]]]:
    """Yields a function that runs the command up to a step and returns its exit status."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM), env=environment(data_dir), stdin=PIPE, stdout=PIPE
    )
    incoming, outgoing = process.stdin, process.stdout
    assert incoming
    assert outgoing

    async def killed_at(step: int) -> int:
        incoming.write(f"{step}\n".encode())
        async with asyncio.timeout(WITHIN):
            line = (await outgoing.readline()).decode()
            if "Rewrapped" in line:  # printed unless it was killed
                line = (await outgoing.readline()).decode()
            return int(line)

    try:
        yield killed_at
    finally:
        process.kill()
        await process.wait()


async def test_killed_at_any_moment_it_loses_nothing_and_the_next_run_completes_it(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    settings = await prepared(data_dir)
    key_file = data_dir / "symphony.sqlite3.master-key"
    async with running(settings) as (application, client), killer(data_dir) as killed_at:
        ada = await sign_up(client, "ada")
        vaults = [await fill(ada, f"v{number}") for number in range(VAULTS)]
        first_key = key_file.read_text()
        kills = 0
        while True:
            status = await killed_at(kills + 1)
            assert await contents(ada, vaults) == [f"v{number}" for number in range(len(vaults))]
            if status != -signal.SIGKILL:
                break
            kills += 1
            if kills == 6:  # what is created meanwhile is readable as well
                vaults.append(await fill(ada, f"v{len(vaults)}"))
            await rewrap_all(RewrapAll(), application)
            assert await contents(ada, vaults) == [f"v{number}" for number in range(len(vaults))]
        assert status == 0
        # Before and after: two writes of the file, and a commit of each batch, the last empty.
        assert kills == 10
        assert first_key.strip() not in key_file.read_text()
        assert key_file.read_text().count("\n") == 1
    async with running_api(settings) as client:
        ada = replace(ada, client=client)
        assert await contents(ada, vaults) == [f"v{number}" for number in range(len(vaults))]
    keys = [file for file in data_dir.iterdir() if "key" in file.name]
    assert len(keys) == 3
    assert [file.name for file in keys if file.stat().st_mode & 0o077] == []


async def test_two_parallel_runs_wait_for_each_other(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    settings = await prepared(data_dir)
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        vaults = [await fill(ada, f"v{number}") for number in range(VAULTS)]
        done = await asyncio.gather(*(rewrap(data_dir) for _ in range(2)))
        assert done == [(0, f"Rewrapped the keys of {VAULTS} vaults.\n")] * 2
        assert await contents(ada, vaults) == [f"v{number}" for number in range(VAULTS)]


async def test_while_a_key_cannot_be_unwrapped_no_master_key_is_removed(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    settings = await prepared(data_dir)
    key_file = data_dir / "symphony.sqlite3.master-key"
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        kept = await fill(ada, "kept")
        first_key = key_file.read_text()
        key_file.write_text(f"{OTHER}\n")
        lost = await fill(ada, "lost")
        key_file.write_text(first_key)
        status, said = await rewrap(data_dir)
        assert status == 1
        assert said.startswith("symphony: No master key opens the keys of 1 vault, so all master")
        assert lost.rpartition("/")[2] in said
        assert key_file.read_text().count("\n") == 2
        assert first_key in key_file.read_text()
        assert (await contents(ada, [kept])) == ["kept"]


async def test_a_master_key_that_vaults_need_is_never_replaced_by_a_new_one(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    settings = await prepared(data_dir)
    key_file = data_dir / "symphony.sqlite3.master-key"
    assert (await rewrap(data_dir))[0] == 0  # no vault needs one yet, so one is created
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        vault = await fill(ada, "kept")
    lost = key_file.rename(data_dir / "lost")
    status, said = await rewrap(data_dir)
    assert (
        status,
        said.startswith(f"symphony: {key_file} is missing, and the keys of vaults"),
    ) == (1, True)
    assert not key_file.exists()
    assert (await rewrap(data_dir, MASTER_KEY=NEW))[0] == 1  # it cannot open what is there
    async with running_api(settings) as client:  # as a worker does that takes the place of another
        ada = replace(ada, client=client)
        another = (await ada.vault((await ada.workspace("other"))["id"]))["id"]
        put = await ada.put(f"/vaults/{another}/entries/a", {"content": "new"})
        assert code(put) == "503 master-key-missing"
        assert await contents(ada, [vault]) == ["503 master-key-missing"]
        assert not key_file.exists()
        lost.rename(key_file)
        assert await contents(ada, [vault]) == ["kept"]


@pytest.fixture
async def database() -> AsyncGenerator[str]:
    name = f"test_{secrets.token_hex(8)}"
    yield await postgres.create_database(name)
    await postgres.drop_database(name)


def on_postgresql(database: str, master_key: str | None) -> Settings:
    values = {"database_url": database, "secret_key": SECRET, "master_key": master_key}
    return Settings.model_validate(values)


async def test_keys_are_wrapped_under_the_first_configured_master_key(
    database: str, tmp_path: Path
) -> None:
    set_ = {"DATABASE_URL": database, "SECRET_KEY": SECRET}
    async with running_api(on_postgresql(database, OLD)) as client:
        ada = await sign_up(client, "ada")
        vaults = [await fill(ada, "one"), await fill(ada, "two")]
    status, said = await rewrap(tmp_path, **set_, MASTER_KEY=f"{NEW},{OLD}")
    assert (status, said) == (0, "Rewrapped the keys of 2 vaults.\n")
    again = await rewrap(tmp_path, **set_, MASTER_KEY=f"{NEW},{OLD}")
    assert again == (0, "Rewrapped the keys of 0 vaults.\n")
    for keys, expected in (
        (NEW, ["one", "two"]),
        (OLD, ["503 master-key-missing"] * 2),
        (f"{OLD},{NEW}", ["one", "two"]),
    ):
        async with running_api(on_postgresql(database, keys)) as client:
            assert await contents(replace(ada, client=client), vaults) == expected
    status, said = await rewrap(tmp_path, **set_, MASTER_KEY=OLD)
    assert (status, said.partition(",")[0]) == (
        1,
        "symphony: No master key opens the keys of 2 vaults",
    )
    status, said = await rewrap(tmp_path, **set_)
    assert status == 1
    assert "SYMPHONY_MASTER_KEY" in said


async def test_postgresql_without_a_master_key_serves_all_but_entries(database: str) -> None:
    async with running_api(on_postgresql(database, None)) as client:
        ada = await sign_up(client, "ada")
        workspace = (await ada.workspace())["id"]
        vault = f"/vaults/{(await ada.vault(workspace))['id']}"
        answer: httpx.Response = await ada.put(f"{vault}/entries/a", {"content": "x"})
        assert code(answer) == "503 master-key-missing"
        assert "SYMPHONY_MASTER_KEY" in answer.json()["detail"]
        assert "retry-after" not in answer.headers
        assert (await ada.get(f"{vault}/entries")).json()["items"] == []
        assert code(await ada.get(f"{vault}/entries/a")) == "404 entry-not-found"
        body = {"protection": "passphrase", "passphrase": "a horse, a battery"}
        secret = f"/vaults/{(await ada.vault(workspace, 'secret', **body))['id']}"
        opened = await ada.post(f"{secret}/unlock", {"passphrase": "a horse, a battery"})
        session = {"Vault-Session": opened.json()["session"]}
        put = await ada.put(f"{secret}/entries/a", {"content": "x"}, headers=session)
        assert put.status_code == 201


@pytest.mark.parametrize("value", ["secret", f"{OLD},", OLD[:-4]])
async def test_an_invalid_master_key_stops_the_start(tmp_path: Path, value: str) -> None:
    status, said = await run(
        Path(sys.executable).with_name("symphony"),
        *("vault", "rewrap"),
        data_dir=tmp_path / "data",
        MASTER_KEY=value,
    )
    assert status == 2
    assert said.startswith("symphony: SYMPHONY_MASTER_KEY: must be one or more keys of 32 bytes")
    assert value not in said
    assert os.linesep not in said.rstrip()

"""Two processes of one service, on machines whose clocks are a minute apart."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.support import postgres
from tests.support.api import PASSWORD, User, code, created, sign_in, sign_up, utc
from tests.support.server import Server, running_server

pytestmark = pytest.mark.long

APART = 60  # seconds
EARLIER = timedelta(seconds=APART / 2)


# Python runs a module of this name at its start. A library that changes the clock of the whole
# process, libfaketime, makes `time.sleep` fail.
CUSTOMIZATION = """
import datetime, time
from symphony.domain import base

OFFSET = {offset}
right = time.time
time.time = lambda: right() + OFFSET

class Shifted(datetime.datetime):
    @classmethod
    def now(cls, zone=None):
        return datetime.datetime.now(zone) + datetime.timedelta(seconds=OFFSET)

base.datetime = Shifted
"""


@asynccontextmanager
async def a_process_ahead(
    folder: Path, database: str, offset: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Server]:
    """A process whose clock is some seconds ahead of that of the tests, or behind it."""
    place = folder.with_name("clock")
    place.mkdir()
    (place / "sitecustomize.py").write_text(CUSTOMIZATION.format(offset=offset))
    async with AsyncExitStack() as stack:
        with monkeypatch.context() as patched:  # for the start of this process only
            patched.setenv("PYTHONPATH", str(place))
            server = await stack.enter_async_context(a_usual_process(folder, database))
        yield server


def a_usual_process(folder: Path, database: str) -> AbstractAsyncContextManager[Server]:
    return running_server(folder, DATABASE_URL=database, SECRET_KEY=SECRET)


@pytest.fixture
async def database() -> AsyncGenerator[str]:
    name = f"test_{secrets.token_hex(8)}"
    yield await postgres.create_database(name)
    await postgres.drop_database(name)


@pytest.mark.parametrize("offset", [APART, -APART])
async def test_a_minute_between_the_clocks_refuses_nothing_and_repeats_nothing(
    offset: int, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        a_usual_process(tmp_path / "one", database) as one,
        a_process_ahead(tmp_path / "two", database, offset, monkeypatch) as two,
        one.client() as here,
        two.client() as there,
    ):
        first = await sign_up(here, "ada")
        second = User(there, first.id, "ada", first.token)
        workspace = await second.workspace("Thesis")
        is_apart = utc(workspace["created_at"]) - datetime.now(UTC) - timedelta(seconds=offset)
        assert abs(is_apart) < EARLIER

        for number, (user, other) in enumerate([(first, second), (second, first)]):
            # Each token, also one that was issued in the future, is accepted by both.
            token = await sign_in(other.client, "ada")
            assert (await user.using(token).get(f"/workspaces/{workspace['id']}")).is_success
            # A key that one process has stored replays for the other.
            body = {"name": f"r{number}", "path": "~/x"}
            path, key = f"/workspaces/{workspace['id']}/repos", {"Idempotency-Key": f"k{number}"}
            repo = created(await user.post(path, body, headers=key))
            again = await other.post(path, body, headers=key)
            assert (created(again), again.headers["Idempotency-Replayed"]) == (repo, "true")
            # Versions count the changes, whatever the clocks say.
            for version, each in enumerate([other, user, other], 2):
                changed = await each.patch(f"/repos/{repo['id']}", {"metadata": {"v": version}})
                assert changed.json()["version"] == version
            # What is created by one is in the lists of the other, and on one page only.
            pages = [await other.get(path, params={"limit": 1})]
            while (cursor := pages[-1].json()["next_cursor"]) is not None:
                pages.append(await user.get(path, params={"limit": 1, "cursor": cursor}))
            names = [page.json()["items"][0]["name"] for page in pages]
            assert sorted(names) == [f"r{each}" for each in range(number + 1)]
            # An API token is accepted, and its revocation counts at once.
            api_token = await user.api_token("read", name=f"t{number}")
            with_it = other.using(api_token["token"])
            assert (await with_it.get(path)).is_success
            assert (await user.delete(f"/api-tokens/{api_token['id']}")).status_code == 204
            assert (await with_it.get(path)).status_code == 401

        # A new password ends the tokens in both; a new sign-in counts as recent in both.
        change = {"password": "another good passphrase", "current_password": PASSWORD}
        assert (await first.patch(f"/user-profiles/{first.id}", change)).is_success
        assert (await second.get("/user-profiles/me")).status_code == 401
        token = await sign_in(there, "ada", change["password"])
        delete = await first.using(token).delete(f"/user-profiles/{first.id}")
        assert code(delete) == "409 user-has-workspaces"

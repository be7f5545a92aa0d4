"""The verifier of `just chaos` accepts what is stored as it was acknowledged, and nothing else."""

import random
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.chaos.calls import Calls, Unanswered, Violation
from scripts.chaos.model import Creation, Fate, Model, Thing
from scripts.chaos.model import User as Writer
from scripts.chaos.vaults import Entry, Vaults, create_vaults
from scripts.chaos.verifier import Verifier
from symphony.config.settings import Settings
from tests.support.api import User, running_api, sign_up
from tests.support.leftovers import left_behind, stopped_run

# They check a tool, not the service, and take as long as the tests of a noun.
pytestmark = pytest.mark.long


@pytest.fixture
def place() -> Generator[Path]:
    """A temporary directory that PostgreSQL, which may run as another user, can read."""
    with tempfile.TemporaryDirectory(prefix="symphony-place-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def test_sigterm_stops_it_without_a_process_or_file_left(place: Path) -> None:
    def has_started_a_server() -> bool:
        return bool(list(place.glob("symphony-*/*/server.log")))

    command = [sys.executable, "-m", "scripts.chaos.run"]
    status, output, errors = await stopped_run(command, place, has_started_a_server)
    assert (status, errors) == (130, "stopped\n"), output
    assert left_behind(place) == []


@dataclass(frozen=True, slots=True)
class Verified:
    """A service with a workspace that holds a repo, a model that knows them, and a verifier."""

    ada: User
    model: Model
    workspace: Thing
    repo: Thing
    verify: Callable[[], Coroutine[Any, Any, int]]

    def creation(self, name: str, key: str | None) -> Creation:
        body = {"name": name, "path": f"~/{name}"}
        return Creation("repo", self.workspace, body, key)

    async def send(self, creation: Creation) -> dict[str, Any]:
        """Create it without the model."""
        headers = creation.headers
        answer = await self.ada.post(creation.path, creation.body, headers=headers)
        assert answer.status_code == 201
        return answer.json()


@pytest.fixture
async def verified(tmp_path: Path) -> AsyncGenerator[Verified]:
    settings = Settings.model_validate({"database_url": "sqlite://", "data_dir": tmp_path})
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        user = Writer(ada.id, ada.token)
        model = Model([user])
        creation = Creation("workspace", user, {"name": "Thesis"}, None)
        workspace = model.add(creation, await ada.workspace("Thesis"))
        body = {"name": "engine", "path": "~/dev/engine"}
        creation = Creation("repo", workspace, body, None)
        repo = model.add(creation, await ada.repo(str(workspace.fields["id"])))
        verifier = Verifier(model, Calls(client))
        yield Verified(ada, model, workspace, repo, verifier.verify_everything)


async def test_resources_stored_as_acknowledged_pass(verified: Verified) -> None:
    assert await verified.verify() == 2


async def test_an_acknowledged_creation_that_never_happened_is_lost(verified: Verified) -> None:
    never = verified.repo.fields | {"id": verified.ada.id, "name": "never", "path": "~/never"}
    thing = verified.model.add(verified.creation("never", None), never)
    await fails(verified, f"{thing.path}: acknowledged and lost")


async def test_an_acknowledged_change_that_never_happened_is_lost(verified: Verified) -> None:
    verified.repo.fields["name"] = "changed"
    await fails(verified, "name is 'engine', acknowledged was 'changed'")


async def test_a_version_that_went_back_is_found(verified: Verified) -> None:
    verified.repo.fields["version"] = 2
    await fails(verified, "version 1, acknowledged was 2")


async def test_an_update_that_no_request_made_is_found(verified: Verified) -> None:
    await verified.ada.patch(verified.repo.path, {"metadata": {"colour": "red"}})
    await fails(verified, "metadata/colour is 'red', acknowledged was None")


async def test_a_deletion_that_was_undone_is_found(verified: Verified) -> None:
    verified.model.remove(verified.repo)
    await fails(verified, f"{verified.repo.path}: its deletion was acknowledged, but it exists")


async def test_a_resource_that_vanished_without_a_deletion_is_found(verified: Verified) -> None:
    await verified.ada.delete(verified.repo.path)
    await fails(verified, f"{verified.repo.path}: acknowledged and lost")


async def test_a_resource_that_no_request_created_is_found(verified: Verified) -> None:
    stray = await verified.send(verified.creation("stray", None))
    await fails(verified, f"{stray['id']} exists, and no request has created it")


async def test_a_workspace_of_which_half_was_deleted_is_found(verified: Verified) -> None:
    verified.workspace.fate = Fate.IN_DOUBT
    await verified.ada.delete(verified.repo.path)
    await fails(verified, f"{verified.repo.path}: acknowledged and lost")


@pytest.mark.parametrize("key", ["a-key", None])
@pytest.mark.parametrize("happened", [True, False])
async def test_a_creation_in_doubt_may_have_happened_or_not(
    happened: bool,  # noqa: FBT001 - a parameter of the test
    key: str | None,
    verified: Verified,
) -> None:
    creation = verified.creation("doubtful", key)
    if happened:
        await verified.send(creation)
    verified.model.unanswered.append(creation)
    await verified.verify()
    assert len(verified.workspace.living) == (2 if happened or key else 1)
    assert verified.model.done_in_doubt == happened


@pytest.mark.parametrize("happened", [True, False])
async def test_a_change_in_doubt_may_have_happened_or_not(
    happened: bool,  # noqa: FBT001 - a parameter of the test
    verified: Verified,
) -> None:
    verified.repo.in_doubt["name"] = "changed"
    if happened:
        await verified.ada.patch(verified.repo.path, {"name": "changed"})
    await verified.verify()
    assert verified.repo.fields["name"] == ("changed" if happened else "engine")
    assert verified.model.done_in_doubt == happened


@pytest.mark.parametrize("happened", [True, False])
async def test_a_deletion_in_doubt_may_have_happened_or_not(
    happened: bool,  # noqa: FBT001 - a parameter of the test
    verified: Verified,
) -> None:
    verified.workspace.fate = Fate.IN_DOUBT
    if happened:
        await verified.ada.delete(verified.workspace.path, params={"force": "true"})
    await verified.verify()
    expected = Fate.GONE if happened else Fate.STAYS
    assert [verified.workspace.fate, verified.repo.fate] == [expected, expected]


async def test_a_workspace_is_busy_while_something_in_it_is_deleted(
    verified: Verified,
) -> None:
    assert verified.workspace.is_idle
    verified.repo.fate = Fate.LEAVING
    assert not verified.workspace.is_idle


@dataclass(frozen=True, slots=True)
class Kept:
    """A service with two vaults, what must be in them, and an entry of one of them."""

    ada: User
    model: Model
    vaults: Vaults
    entry: Entry

    async def put(self, content: str) -> None:
        """Write without the model."""
        body, session = {"content": content}, {"Vault-Session": self.entry.vault.session or ""}
        answer = await self.ada.put(self.entry.path, body, headers=session)
        assert answer.is_success, answer.text

    async def fails(self, reported: str) -> None:
        with pytest.raises(Violation) as violation:
            await self.vaults.verify()
        assert reported in str(violation.value)


@pytest.fixture(params=["none", "passphrase"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Kept]:
    settings = Settings.model_validate({"database_url": "sqlite://", "data_dir": tmp_path})
    async with running_api(settings) as client:
        ada = await sign_up(client, "ada")
        user = Writer(ada.id, ada.token)
        model, calls = Model([user]), Calls(client)
        created = await create_vaults(user, calls)
        vaults = Vaults(created, model, calls, random.Random())  # noqa: S311
        assert await vaults.verify() == 0
        of_it = [
            each
            for each in vaults.entries
            if (each.vault.passphrase is None) == (request.param == "none")
        ]
        kept = Kept(ada, model, vaults, of_it[0])
        for number in range(12):
            await kept.put(f"content-{number}")
        kept.entry.state = tuple(f"content-{number}" for number in range(12))
        yield kept


async def test_versions_stored_as_acknowledged_pass(kept: Kept) -> None:
    assert await kept.vaults.verify() == 10


async def test_an_acknowledged_version_that_was_never_written_is_lost(kept: Kept) -> None:
    kept.entry.state += ("never",)
    await kept.fails("12: 'content-11'")


async def test_a_version_with_other_content_is_found(kept: Kept) -> None:
    kept.entry.state = (*kept.entry.state[:3], "else", *kept.entry.state[4:])
    await kept.fails("4: 'else'")


async def test_an_entry_that_came_back_is_found(kept: Kept) -> None:
    kept.entry.state = ()
    await kept.fails("acknowledged was {}")


@pytest.mark.parametrize("happened", [True, False])
async def test_a_version_in_doubt_may_have_been_written_or_not(
    happened: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    kept.entry.perhaps = (*kept.entry.state, "perhaps")
    if happened:
        await kept.put("perhaps")
    await kept.vaults.verify()
    assert (kept.entry.state[-1], kept.entry.perhaps) == (
        "perhaps" if happened else "content-11",
        None,
    )
    assert kept.model.done_in_doubt == happened


@pytest.mark.parametrize("kept", ["passphrase"], indirect=True)
@pytest.mark.parametrize("happened", [True, False])
async def test_a_passphrase_in_doubt_may_have_been_changed_or_not(
    happened: bool,  # noqa: FBT001 - a parameter of the test
    kept: Kept,
) -> None:
    vault, old, new = kept.entry.vault, kept.entry.vault.passphrase, "another passphrase"
    vault.perhaps = new
    if happened:
        await kept.ada.put(f"{vault.path}/passphrase", {"old": old, "new": new})
    assert await kept.vaults.verify() == 10
    assert (vault.passphrase, vault.perhaps) == (new if happened else old, None)


@pytest.mark.parametrize("kept", ["passphrase"], indirect=True)
async def test_a_vault_that_its_passphrase_does_not_unlock_is_found(kept: Kept) -> None:
    kept.entry.vault.passphrase = "another passphrase"
    await kept.fails("its passphrase does not unlock it")


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    headers = {"Content-Type": "application/problem+json"} | headers
    return httpx.Response(status, json={"status": status, "code": code}, headers=headers)


@pytest.mark.parametrize(
    ("answer", "reported"),
    [
        (problem(500, "internal-error"), "500 internal-error, expected was 200"),
        (problem(409, "vault-name-taken"), "409 vault-name-taken, expected was 200"),
        (problem(503, "service-unavailable"), "503 without the seconds to wait"),
        (httpx.Response(503, text="overloaded"), "503 that is no problem document"),
        (httpx.Response(201, json={}), "201, expected was 200"),
        (httpx.ReadError("connection reset"), "ReadError though the server was not being killed"),
        (httpx.ReadTimeout("too late"), "no answer within"),
    ],
)
async def test_an_answer_outside_of_the_contract_fails_the_run(
    answer: httpx.Response | Exception, reported: str
) -> None:
    with pytest.raises(Violation, match=reported):
        await ask(answer)


async def test_a_503_and_a_connection_that_ends_in_a_kill_leave_the_request_in_doubt() -> None:
    with pytest.raises(Unanswered):
        await ask(problem(503, "service-unavailable", **{"Retry-After": "1"}))
    with pytest.raises(Unanswered):
        await ask(httpx.ReadError("connection reset"), may_break=True)


async def ask(answer: httpx.Response | Exception, *, may_break: bool = False) -> None:
    """Send a request to a server with this answer."""

    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(respond)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        calls = Calls(client)
        calls.may_break = may_break
        await calls.send("GET", "/user-profiles/me", ("200",))


async def fails(verified: Verified, reported: str) -> None:
    """Check that the verifier reports this fault."""
    with pytest.raises(Violation) as violation:
        await verified.verify()
    assert reported in str(violation.value)

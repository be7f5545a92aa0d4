"""Ways around a confinement: each was tried, and tells or does nothing."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.support.git_repository import Repository
from symphony.domain.base import new_id
from tests.api.isolation.cases import KEY, PASSPHRASE, cases
from tests.api.isolation.contract import ACCESS
from tests.support.api import User, code, created, faults

_WRONG = {"passphrase": "not the right one"}


@dataclass(frozen=True, slots=True)
class Two:
    """A user, the same user with a confined token, and a workspace inside and outside of it."""

    owner: User
    agent: User
    inside: str
    outside: str
    token_id: str

    @property
    def profile(self) -> str:
        return f"/user-profiles/{self.owner.id}"


@pytest.fixture
async def two(ada: User) -> Two:
    inside, outside = [(await ada.workspace(each))["id"] for each in ("Acme", "Globex")]
    token = await ada.api_token(*sorted(ACCESS), workspace_ids=[inside])
    return Two(ada, ada.using(token["token"]), inside, outside, token["id"])


async def test_a_name_outside_is_free_inside(two: Two) -> None:
    await two.owner.repo(two.outside, "engine", path="/srv/engine")
    await two.owner.vault(two.outside, "keys")
    await two.agent.repo(two.inside, "engine", path="/srv/engine")
    await two.agent.vault(two.inside, "keys")
    items = [{"name": "loom", "path": "/srv/loom"}]
    await two.owner.repo(two.outside, "loom", path="/srv/loom")
    created(await two.agent.post(f"/workspaces/{two.inside}/repos/import", {"items": items}))


async def test_a_rename_tells_only_that_a_name_is_taken(two: Two) -> None:
    """Names of workspaces are unique per user, so this is one thing that a token learns of those
    outside (SECURITY.md); it does not learn which one has the name."""
    workspace = f"/workspaces/{two.inside}"
    taken = await two.agent.patch(workspace, {"name": "Globex"})
    assert code(taken) == "409 workspace-name-taken"
    assert two.outside not in taken.text
    assert (await two.agent.patch(workspace, {"name": "Initech"})).status_code == 200


@pytest.mark.usefixtures("git_root")
async def test_a_discovery_flags_what_is_registered_inside_only(two: Two, git_root: Path) -> None:
    engine = Repository.created(git_root / "engine")
    await two.owner.repo(two.outside, "engine", path=str(engine.path))
    found = await two.agent.post(f"/workspaces/{two.inside}/discoveries", {"root": str(git_root)})
    assert [each["registered"] for each in found.json()["items"]] == [False]


@pytest.mark.long
@pytest.mark.usefixtures("git_root")
async def test_the_board_counts_what_is_inside_only(two: Two, git_root: Path) -> None:
    for number in range(3):
        await two.owner.repo(two.outside, f"repo-{number}", path=f"{git_root}/{number}")
    before = (await two.agent.get(f"{two.profile}/attention?fresh=false")).json()
    assert (before["items"], before["unobserved"]) == ([], 0)
    await two.owner.repo(two.inside, "engine", path=f"{git_root}/engine")
    after = (await two.agent.get(f"{two.profile}/attention?fresh=false")).json()
    assert after["unobserved"] == 1
    assert (await two.agent.get(f"{two.profile}/attention")).json()["unobserved"] == 0
    everything = (await two.owner.get(f"{two.profile}/attention?fresh=false")).json()
    assert everything["unobserved"] == 3


@pytest.mark.long
async def test_a_cursor_of_another_token_leads_to_nothing_outside(two: Two) -> None:
    for number in range(4):
        await two.owner.repo(two.outside, f"outside-{number}")
        await two.owner.repo(two.inside, f"inside-{number}")
    for sort in ("created_at", "-created_at", "name", "-name"):
        path = f"{two.profile}/repos?limit=1&sort={sort}"
        page = (await two.owner.get(path)).json()
        while page["next_cursor"] is not None:
            cursor = page["next_cursor"]
            stolen = await two.agent.get(f"{path}&cursor={cursor}")
            shown = [each["name"] for each in stolen.json()["items"]]
            assert all(each.startswith("inside") for each in shown)
            page = (await two.owner.get(f"{path}&cursor={cursor}")).json()
    whole = (await two.agent.get(f"{two.profile}/repos?limit=4")).json()
    assert (len(whole["items"]), whole["next_cursor"]) == (4, None)


@pytest.mark.long
async def test_an_etag_of_what_is_outside_matches_nothing(two: Two) -> None:
    repo = await two.owner.repo(two.outside)
    for path in (f"/repos/{repo['id']}", f"/workspaces/{two.outside}"):
        tag = (await two.owner.get(path)).headers["etag"]
        assert (await two.agent.get(path, headers={"If-None-Match": tag})).status_code == 404
        for current in (tag, '"stale"', "*"):
            for method, body in (("PATCH", {"name": "new"}), ("DELETE", None)):
                answer = await two.agent.request(
                    method, path, json=body, headers={"If-Match": current}
                )
                assert answer.status_code == 404
    # A list has the tag of nothing that is outside.
    board = f"{two.profile}/attention?fresh=false"
    tag = (await two.agent.get(board)).headers["etag"]
    await two.owner.vault(two.outside)
    answer = await two.agent.get(board, headers={"If-None-Match": tag})
    assert answer.status_code == 304


async def test_a_key_of_another_token_replays_nothing(two: Two) -> None:
    body = {"name": "engine", "path": "/engine"}
    keyed: dict[str, Any] = {"headers": {"Idempotency-Key": "the-key"}}
    first = await two.owner.post(f"/workspaces/{two.outside}/repos", body, **keyed)
    assert first.status_code == 201
    hidden = await two.agent.post(f"/workspaces/{two.outside}/repos", body, **keyed)
    assert code(hidden) == "404 workspace-not-found"
    other = await two.agent.post(f"/workspaces/{two.inside}/repos", body, **keyed)
    assert other.status_code == 201
    assert "idempotency-replayed" not in other.headers
    assert other.json()["id"] != first.json()["id"]


async def test_a_retry_does_not_tell_what_became_of_the_creation_outside(two: Two) -> None:
    answers: list[tuple[int, str]] = []
    for name, ended in (("moved", two.outside), ("deleted", None)):
        body = {"name": name, "path": "/engine"}
        keyed: dict[str, Any] = {"headers": {"Idempotency-Key": name, "X-Request-ID": "same"}}
        path = f"/workspaces/{two.inside}/repos"
        repo = f"/repos/{created(await two.agent.post(path, body, **keyed))['id']}"
        if ended is None:
            assert (await two.owner.delete(repo)).status_code == 204
        else:
            moved = await two.owner.patch(repo, {"workspace_id": ended, "name": "secret name"})
            assert moved.status_code == 200
        again = await two.agent.post(path, body, **keyed)
        answers.append((again.status_code, again.text))
    assert answers[0] == answers[1]


async def test_nothing_is_moved_out_or_in(two: Two) -> None:
    inside, outside = [
        {"repos": await two.owner.repo(each), "vaults": await two.owner.vault(each)}
        for each in (two.inside, two.outside)
    ]
    unknown = str(new_id())
    for noun in ("repos", "vaults"):
        path = f"/{noun}/{inside[noun]['id']}"
        answers = [
            await two.agent.patch(
                path, {"workspace_id": each}, headers={"X-Request-ID": "the-same"}
            )
            for each in (two.outside, unknown)
        ]
        assert faults(answers[0]) == [("/workspace_id", "workspace-not-found")]
        assert answers[0].text == answers[1].text
        hidden = await two.agent.patch(
            f"/{noun}/{outside[noun]['id']}", {"workspace_id": two.inside}
        )
        assert hidden.status_code == 404
        assert (await two.owner.get(path)).json() == inside[noun]


@pytest.mark.long
async def test_what_the_owner_moves_out_is_gone_for_the_token_at_once(two: Two) -> None:
    vault = await two.owner.vault(two.inside)
    entries = f"/vaults/{vault['id']}/entries"
    assert (await two.agent.put(f"{entries}/{KEY}", {"content": "x"})).status_code == 201
    await two.owner.patch(f"/vaults/{vault['id']}", {"workspace_id": two.outside})
    for path in (entries, f"{entries}/{KEY}", f"/vaults/{vault['id']}/versions/{KEY}"):
        assert code(await two.agent.get(path)) == "404 vault-not-found"
    assert (await two.agent.put(f"{entries}/{KEY}", {"content": "y"})).status_code == 404


@pytest.mark.long
async def test_a_session_of_another_token_opens_nothing(two: Two) -> None:
    secret = {"protection": "passphrase", "passphrase": PASSPHRASE}
    for workspace_id, wanted in (
        (two.inside, "423 vault-locked"),
        (two.outside, "404 vault-not-found"),
    ):
        vault = f"/vaults/{(await two.owner.vault(workspace_id, **secret))['id']}"
        unlocked = await two.owner.post(f"{vault}/unlock", {"passphrase": PASSPHRASE})
        headers = {"Vault-Session": unlocked.json()["session"]}
        stolen = await two.agent.get(f"{vault}/entries", headers=headers)
        assert code(stolen) == wanted
        assert (await two.owner.get(f"{vault}/entries", headers=headers)).status_code == 200


@pytest.mark.long
@pytest.mark.usefixtures("long_pauses")
async def test_guesses_at_a_vault_outside_cause_no_pause(two: Two) -> None:
    """Otherwise a token could keep the owner out of a vault that does not exist for it."""
    secret = {"protection": "passphrase", "passphrase": PASSPHRASE}
    vault = f"/vaults/{(await two.owner.vault(two.outside, **secret))['id']}"
    for _ in range(30):
        assert code(await two.agent.post(f"{vault}/unlock", _WRONG)) == "404 vault-not-found"
        body = {"old": _WRONG["passphrase"], "new": "another one entirely"}
        assert code(await two.agent.put(f"{vault}/passphrase", body)) == "404 vault-not-found"
    opened = await two.owner.post(f"{vault}/unlock", {"passphrase": PASSPHRASE})
    assert opened.status_code == 200


@pytest.mark.long
async def test_options_tell_the_same_everywhere(two: Two) -> None:
    for case in cases():
        answers = {
            (answer.status_code, answer.headers["allow"])
            for target in (two.inside, two.outside, str(new_id()))
            for answer in [await two.agent.request("OPTIONS", case.at(target))]
        }
        assert len(answers) == 1, case.key


@pytest.mark.long
async def test_a_workspace_of_the_token_is_deleted_while_the_token_works(two: Two) -> None:
    """No request fails in another way than by the workspace being gone, and nothing is left."""
    body = {"name": "engine", "path": "/engine"}

    async def work(number: int) -> httpx.Response:
        if number == 10:
            return await two.owner.delete(f"/workspaces/{two.inside}?force=true")
        if number % 2:
            return await two.agent.get(f"/workspaces/{two.inside}/repos")
        name = {"name": f"engine-{number}"}
        return await two.agent.post(f"/workspaces/{two.inside}/repos", body | name)

    answers = await asyncio.gather(*(work(number) for number in range(30)))
    assert {each.status_code for each in answers} <= {200, 201, 204, 404}
    for path in (f"/workspaces/{two.inside}", f"/workspaces/{two.inside}/repos"):
        assert code(await two.agent.get(path)) == "404 workspace-not-found"
    for path in ("workspaces", "repos"):
        assert (await two.agent.get(f"{two.profile}/{path}")).json()["items"] == []
    (token,) = (await two.owner.get("/api-tokens")).json()["items"]
    assert token["workspace_ids"] == []
    again = await two.owner.workspace("Acme")
    assert code(await two.agent.get(f"/workspaces/{again['id']}")) == "404 workspace-not-found"
    assert (await two.agent.delete(f"/api-tokens/{two.token_id}")).status_code == 204


@pytest.mark.long
async def test_a_parameter_names_nothing_outside(two: Two) -> None:
    await two.owner.repo(two.outside, remote_url="https://git.example.org/globex/engine.git")
    await two.owner.vault(two.outside)
    unknown = str(new_id())
    for path in (
        f"{two.profile}/repos?remote=https://git.example.org/globex/engine",
        f"{two.profile}/repos?q=engine",
        f"{two.profile}/repos?updated_since=2020-01-01T00:00:00Z",
        f"{two.profile}/workspaces?q=globex",
        f"{two.profile}/workspaces?type=general&sort=-name&q=glo",
    ):
        assert (await two.agent.get(path)).json()["items"] == []
    for path in (
        f"{two.profile}/repos?workspace_id={{}}",
        f"{two.profile}/attention?fresh=false&workspace_id={{}}",
    ):
        shown = [await two.agent.get(path.format(each)) for each in (two.outside, unknown)]
        assert shown[0].status_code == shown[1].status_code
        assert shown[0].json().get("items") == shown[1].json().get("items")

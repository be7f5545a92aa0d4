"""Passphrases of vaults: attempts, updates, and what is stored."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

import pytest

from symphony.application.ports import Requester
from symphony.domain.vaults.keys import Derivation
from symphony.infrastructure.vaults.passphrases import Argon2Passphrases
from tests.support.api import User, code, created
from tests.support.vaults import OpenVault

PASSPHRASE = "a horse, a battery and a staple"
OTHER = "a mare, a cell and a paper clip"


async def a_vault(owner: User) -> OpenVault:
    """A vault in a workspace of its own."""
    workspace = (await owner.workspace(f"of {uuid4()}"))["id"]
    return await OpenVault.created(owner, workspace, "secret", PASSPHRASE)


@pytest.fixture
async def vault(ada: User) -> OpenVault:
    return await a_vault(ada)


async def test_if_match_guards_a_change_of_the_passphrase(vault: OpenVault) -> None:
    etag = (await vault.owner.get(vault.path)).headers["etag"]
    path, body = f"{vault.path}/passphrase", {"old": PASSPHRASE, "new": OTHER}
    stale = await vault.owner.put(path, body, headers={"If-Match": '"stale"'})
    assert code(stale) == "412 precondition-failed"
    assert (await vault.unlock(PASSPHRASE)).status_code == 200
    opened = await vault.owner.put(path, body, headers={"If-Match": etag})
    assert code(opened) == "412 precondition-failed"
    now = {"If-Match": (await vault.owner.get(vault.path)).headers["etag"]}
    assert (await vault.owner.put(path, body, headers=now)).status_code == 204
    assert (await vault.unlock(OTHER)).status_code == 200


@pytest.mark.usefixtures("long_pauses")
async def test_a_wrong_passphrase_is_refused_and_five_block_the_vault(
    ada: User, vault: OpenVault
) -> None:
    for _ in range(5):
        assert code(await vault.unlock(OTHER)) == "403 wrong-passphrase"
    other = await a_vault(ada)
    for answer in (
        await vault.unlock(OTHER),
        await vault.unlock(),
        await ada.put(f"{vault.path}/passphrase", {"old": PASSPHRASE, "new": OTHER}),
    ):
        assert code(answer) == "429 too-many-attempts"
        assert 1 <= int(answer.headers["retry-after"]) <= 900
    assert (await other.unlock()).status_code == 200
    assert (await vault.shown())["is_locked"] is True


@pytest.mark.usefixtures("long_pauses")
async def test_of_many_parallel_wrong_passphrases_only_five_are_checked(vault: OpenVault) -> None:
    answers = await asyncio.gather(*(vault.unlock(OTHER) for _ in range(12)))
    counted = Counter(code(answer) for answer in answers)
    assert counted == {"403 wrong-passphrase": 5, "429 too-many-attempts": 7}


async def test_a_passphrase_is_the_same_in_every_unicode_form(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    body = {"protection": "passphrase", "passphrase": "caf\u00e9 au lait noir"}
    vault = OpenVault(ada, (await ada.vault(workspace, **body))["id"])
    assert (await vault.unlock("cafe\u0301\u00a0au lait noir")).status_code == 200
    assert code(await vault.unlock("cafe au lait noir")) == "403 wrong-passphrase"


async def test_a_new_passphrase_revokes_all_sessions_and_keeps_the_entries(
    vault: OpenVault,
) -> None:
    holder = await vault.opened()
    await holder.put()
    path = f"{vault.path}/passphrase"
    wrong = await vault.owner.put(path, {"old": OTHER, "new": OTHER})
    assert code(wrong) == "403 wrong-passphrase"
    assert (await holder.get()).status_code == 200
    answer = await vault.owner.put(path, {"old": PASSPHRASE, "new": OTHER})
    assert (answer.status_code, answer.content) == (204, b"")
    shown = await vault.shown()
    assert (shown["is_locked"], shown["version"]) == (True, 3)
    assert code(await holder.get()) == "423 vault-locked"
    assert code(await vault.unlock()) == "403 wrong-passphrase"
    opened = await vault.opened(passphrase=OTHER)
    assert (await opened.get()).json()["content"] == "kept"
    await vault.owner.post(f"{vault.path}/lock")
    back = await vault.owner.put(path, {"old": OTHER, "new": PASSPHRASE})  # locked, too
    assert back.status_code == 204
    assert (await (await vault.opened()).get()).json()["content"] == "kept"


async def test_of_two_parallel_updates_of_the_passphrase_one_succeeds(vault: OpenVault) -> None:
    path = f"{vault.path}/passphrase"
    news = ["the first of the new ones", "the second of the new ones"]
    answers = await asyncio.gather(
        *(vault.owner.put(path, {"old": PASSPHRASE, "new": new}) for new in news)
    )
    outcomes = [204 if each.status_code == 204 else code(each) for each in answers]
    assert sorted(outcomes, key=str) == [204, "403 wrong-passphrase"]
    assert (await vault.unlock(news[outcomes.index(204)])).status_code == 200


async def test_the_creation_of_a_vault_with_a_passphrase_can_be_retried(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/vaults"
    body = {"name": "k", "path": "/k", "protection": "passphrase", "passphrase": PASSPHRASE}
    key = {"Idempotency-Key": "once"}
    first = await ada.post(path, body, headers=key)
    again = await ada.post(path, body, headers=key)
    assert created(again) == created(first)
    assert again.headers["idempotency-replayed"] == "true"
    other = await ada.post(path, body | {"passphrase": OTHER}, headers=key)
    assert code(other) == "422 idempotency-key-reused"
    assert (await OpenVault(ada, first.json()["id"]).unlock(PASSPHRASE)).status_code == 200


@pytest.mark.usefixtures("long_pauses")
async def test_a_passphrase_is_not_guessed_by_repeating_the_creation(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/vaults"
    body = {"name": "k", "path": "/k", "protection": "passphrase", "passphrase": PASSPHRASE}
    key = {"Idempotency-Key": "once"}
    vault = OpenVault(ada, created(await ada.post(path, body, headers=key))["id"], PASSPHRASE)
    token = (await ada.api_token("write"))["token"]
    guesses = [
        await ada.using(token).post(path, body | {"passphrase": f"{OTHER} {number}"}, headers=key)
        for number in range(4)
    ]
    assert {code(each) for each in guesses} == {"422 idempotency-key-reused"}
    # A retry is right, but a passphrase that was right once ends no count.
    assert created(await ada.post(path, body, headers=key))["id"] == vault.id
    assert code(await vault.unlock(OTHER)) == "403 wrong-passphrase"
    for answer in (
        await ada.post(path, body | {"passphrase": OTHER}, headers=key),
        await ada.post(path, body, headers=key),
        await vault.unlock(),
    ):
        assert code(answer) == "429 too-many-attempts"
    other = await ada.post(path, body | {"name": "l"}, headers={"Idempotency-Key": "other"})
    assert created(other)["name"] == "l"


@pytest.mark.usefixtures("long_pauses")
async def test_a_passphrase_is_not_guessed_beside_the_creation(ada: User) -> None:
    """Whichever of the parallel requests creates the vault, five others learn that they differ."""
    path = f"/workspaces/{(await ada.workspace())['id']}/vaults"
    body = {"name": "k", "path": "/k", "protection": "passphrase"}
    key = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(
        *(
            ada.post(path, body | {"passphrase": f"{OTHER} {number}"}, headers=key)
            for number in range(12)
        )
    )
    outcomes = Counter("201" if each.is_success else code(each) for each in answers)
    assert outcomes == {"201": 1, "422 idempotency-key-reused": 5, "429 too-many-attempts": 6}


async def test_parallel_retries_of_one_creation_all_get_the_vault(ada: User) -> None:
    path = f"/workspaces/{(await ada.workspace())['id']}/vaults"
    body = {"name": "k", "path": "/k", "protection": "passphrase", "passphrase": PASSPHRASE}
    answers = await asyncio.gather(
        *(ada.post(path, body, headers={"Idempotency-Key": "once"}) for _ in range(12))
    )
    assert len({created(each)["id"] for each in answers}) == 1
    assert sum("idempotency-replayed" not in each.headers for each in answers) == 1


async def test_a_key_that_created_something_else_is_refused_for_a_vault(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    key = {"Idempotency-Key": "once"}
    repo = {"name": "engine", "path": "~/dev/engine"}
    created(await ada.post(f"/workspaces/{workspace}/repos", repo, headers=key))
    body = {"name": "k", "path": "/k", "protection": "passphrase", "passphrase": PASSPHRASE}
    for _ in range(6):  # nothing can be guessed, so nothing is counted
        refused = await ada.post(f"/workspaces/{workspace}/vaults", body, headers=key)
        assert code(refused) == "422 idempotency-key-reused"


async def test_every_stored_hash_of_a_passphrase_comes_from_argon2(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fingerprint of a request with a passphrase comes from Argon2, over the whole body."""
    derive, derived = Argon2Passphrases.key, list[bytes]()

    async def counted(
        self: Argon2Passphrases, passphrase: bytes, derivation: Derivation, requester: Requester
    ) -> bytes:
        derived.append(passphrase)
        return await derive(self, passphrase, derivation, requester)

    monkeypatch.setattr(Argon2Passphrases, "key", counted)
    path = f"/workspaces/{(await ada.workspace())['id']}/vaults"
    body = {"name": "k", "path": "/k", "protection": "passphrase", "passphrase": PASSPHRASE}
    answer = await ada.post(path, body, headers={"Idempotency-Key": "once"})
    given, body_hashed = derived
    assert given.decode() == PASSPHRASE
    assert json.loads(body_hashed) == body
    vault = OpenVault(ada, answer.json()["id"])
    for passphrase, expected in ((PASSPHRASE, "200"), (OTHER, "403 wrong-passphrase")):
        derived.clear()
        tried = await vault.unlock(passphrase)
        assert (code(tried) if tried.is_error else "200") == expected
        assert derived == [passphrase.encode()]

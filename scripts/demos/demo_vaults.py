"""Vaults that lock: who gets in and who does not, and what the database sees of it."""

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
from caller import User, problem, seen, sign_up
from real_server import SYMPHONY, Server, running_server
from stage import Stage, perform

PASSPHRASE = "harp anvil moss comet ladle"
NEW_PASSPHRASE = "quartz otter plum saddle fjord"
KEY = "clients/acme/db"
FIRST = "postgresql://acme@db.example.org/first"
SECOND = "postgresql://acme@db.example.org/second"
NOTE = "the spare key is under the third stone"
LOCKS_WITHIN = 10  # seconds
REWRAPS_WITHIN = 60  # seconds


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault of somebody's, and what they show when they come to it."""

    owner: User
    id: str
    session: str = ""

    def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        headers = {"Vault-Session": self.session} if self.session else {}
        content = {"json": body} if body else {}
        return self.owner.call(method, f"/vaults/{self.id}{path}", headers=headers, **content)

    def put(self, content: str) -> dict[str, Any]:
        return self.ask("PUT", f"/entries/{KEY}", content=content).raise_for_status().json()

    def read(self, version: int | None = None) -> httpx.Response:
        return self.ask("GET", f"/entries/{KEY}" + (f"?version={version}" if version else ""))

    def unlock(self, passphrase: str, **fields: Any) -> httpx.Response:
        return self.ask("POST", "/unlock", passphrase=passphrase, **fields)

    def opened(self, passphrase: str = PASSPHRASE, **fields: Any) -> "Vault":
        unlocked = self.unlock(passphrase, **fields).raise_for_status()
        return replace(self, session=unlocked.json()["session"])

    @property
    def is_locked(self) -> bool:
        return self.ask("GET", "").raise_for_status().json()["is_locked"]


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        data = Path(temporary)
        # Not by way of a proxy that the environment may name.
        with (
            running_server(data=data) as server,
            httpx.Client(base_url=server.address, timeout=30, trust_env=False) as client,
        ):
            ada, eve = sign_up(client, "ada"), sign_up(client, "eve")
            workspace = ada.make(f"/user-profiles/{ada.id}/workspaces", name="Clients")["id"]
            vaults = f"/workspaces/{workspace}/vaults"
            vault = made(stage, ada, vaults)
            opened = unlocked(stage, vault)
            others(stage, opened, eve, client)
            versions(stage, opened)
            wrong(stage, ada, vaults)
            by_itself(stage, vault)
            what_the_database_sees(stage, vault, data)
            another_passphrase(stage, opened, data)
            another_master_key(stage, ada, vaults, data)
            end(stage, server, data)


def made(stage: Stage, ada: User, vaults: str) -> Vault:
    stage.step("Ada makes a vault with a passphrase")
    told = ada.make(
        vaults,
        name="secrets",
        path="~/vaults/secrets",
        protection="passphrase",
        passphrase=PASSPHRASE,
    )
    stage.show("field", "value", rows=told.items())
    stage.expect("it is locked from the start", told["is_locked"])
    stage.expect("the passphrase is not told back", PASSPHRASE not in json.dumps(told))
    vault = Vault(ada, told["id"])
    refused = vault.read()
    stage.expect("nobody gets in", problem(refused) == "423 vault-locked", seen(refused))
    return vault


def unlocked(stage: Stage, vault: Vault) -> Vault:
    stage.step("She unlocks it, and puts a secret into it")
    told = vault.unlock(PASSPHRASE, ttl_seconds=600).raise_for_status().json()
    opened = replace(vault, session=told["session"])
    left = (datetime.fromisoformat(told["unlocked_until"]) - datetime.now(UTC)).total_seconds()
    stage.expect("she gets a session", told["session"].startswith("symv_"))
    stage.expect("for ten minutes", 540 < left <= 600, f"until {told['unlocked_until']}")
    entry = opened.put(FIRST)
    stage.show("field", "value", rows=entry.items())
    read = opened.read()
    stage.expect("it can be read", read.json()["content"] == FIRST)
    stage.expect("and nothing on the way keeps it", read.headers["cache-control"] == "no-store")

    stage.step("She locks it, and unlocks it again")
    vault.ask("POST", "/lock").raise_for_status()
    refused = opened.read()
    stage.expect("the session is dead", problem(refused) == "423 vault-locked", seen(refused))
    again = vault.opened()
    stage.expect("another one opens it", again.read().json()["content"] == FIRST)
    refused = opened.read()
    stage.expect("the old one does not", problem(refused) == "423 vault-locked")
    return again


def others(stage: Stage, opened: Vault, eve: User, client: httpx.Client) -> None:
    stage.step("While it is open for Ada, others come")
    token = opened.owner.make("/api-tokens", name="a script", scopes=["read", "write"])["token"]
    script = replace(opened, owner=User(client, token))
    visitors = [
        ("Ada", opened, "200"),
        ("Ada without the session", replace(opened, session=""), "423 vault-locked"),
        ("a session that she made up", replace(opened, session="symv_x"), "423 vault-locked"),
        ("her session, with another token", script, "423 vault-locked"),
        ("Eve, with Ada's session", replace(opened, owner=eve), "404 vault-not-found"),
    ]
    answers = [(who, each.read(), expected) for who, each, expected in visitors]
    stage.show("who", "answer", rows=[(who, _told(answer)) for who, answer, _ in answers])
    for who, answer, expected in answers:
        stage.expect(f"{who}: {expected}", _told(answer) == expected)


def versions(stage: Stage, opened: Vault) -> None:
    stage.step("The secret changes; the last ten versions stay, and one can be restored")
    opened.put(SECOND)
    stage.expect("the newest is read", opened.read().json()["content"] == SECOND)
    stage.expect("an older one, too", opened.read(1).json()["content"] == FIRST)
    opened.ask("POST", f"/restore/{KEY}", version=1).raise_for_status()
    newest = opened.read().json()
    restored = (newest["version"], newest["content"]) == (3, FIRST)
    stage.expect("restored, it is the newest once more", restored, f"version {newest['version']}")
    kept = opened.ask("GET", f"/versions/{KEY}").raise_for_status().json()["items"]
    stage.show(*kept[0], rows=[each.values() for each in kept])
    stage.expect("those between stay", [each["version"] for each in kept] == [3, 2, 1])
    for content in (*[SECOND] * 7, FIRST):
        newest = opened.put(content)
    kept = opened.ask("GET", f"/versions/{KEY}").raise_for_status().json()["items"]
    stage.expect("of eleven, ten stay", newest["version"] == 11 and len(kept) == 10)
    gone = opened.read(1)
    stage.expect("the first is gone", problem(gone) == "410 version-gone", seen(gone))


def wrong(stage: Stage, ada: User, vaults: str) -> None:
    stage.step("Somebody who has Ada's token guesses")
    told = ada.make(
        vaults, name="other", path="~/other", protection="passphrase", passphrase=PASSPHRASE
    )
    vault = Vault(ada, told["id"])
    begun = time.perf_counter()
    vault.opened()
    right = time.perf_counter() - begun
    guesses = list[tuple[str, httpx.Response, float]]()
    for number in range(1, 7):
        guess = f"harp anvil moss {number}"
        begun = time.perf_counter()
        guesses.append((guess, vault.unlock(guess), time.perf_counter() - begun))
    stage.show(
        "passphrase",
        "answer",
        "ms",
        rows=[(guess, _told(answer), round(took * 1000)) for guess, answer, took in guesses],
    )
    told_of = [_told(answer) for _, answer, _ in guesses]
    stage.expect("five are told to be wrong", told_of[:5] == ["403 wrong-passphrase"] * 5)
    # Half of it, since other work on the machine may have made the right one slower.
    stage.expect(
        "after as long as a right one takes",
        all(seconds > right / 2 for _, _, seconds in guesses[:5]),
        f"the right one took {right * 1000:.0f} ms",
    )
    stage.expect("then no more", told_of[5] == "429 too-many-attempts", seen(guesses[5][1]))
    right_one = vault.unlock(PASSPHRASE)
    stage.expect("not even the right one", problem(right_one) == "429 too-many-attempts")


def by_itself(stage: Stage, vault: Vault) -> None:
    stage.step("Ada forgets to lock it")
    vault.ask("POST", "/lock").raise_for_status()
    told = vault.unlock(PASSPHRASE, ttl_seconds=2).raise_for_status().json()
    forgotten = replace(vault, session=told["session"])
    stage.expect("it is open, for two seconds", not told["is_locked"])
    stage.expect("it locks itself when they are over", _soon(lambda: vault.is_locked))
    refused = forgotten.read()
    stage.expect("the session is dead", problem(refused) == "423 vault-locked", seen(refused))


def what_the_database_sees(stage: Stage, vault: Vault, data: Path) -> None:
    stage.step("What the database sees of it all")
    for table in ("vault_keys", "vault_entries", "vault_entry_versions"):
        row = _first_row(data, table, vault.id)
        stage.show(table, "", rows=[(name, _as_kept(value)) for name, value in row.items()])
    words = {"passphrase": PASSPHRASE, "key": KEY, "content": FIRST, "older content": SECOND}
    kept = _files(data)
    for what, word in words.items():
        stage.expect(f"no {what} in any of its files", not _is_in(word, kept))
    stage.expect("the path of the vault, though, is there", _is_in("~/vaults/secrets", kept))


def another_passphrase(stage: Stage, dead: Vault, data: Path) -> None:
    stage.step("Ada changes the passphrase")
    vault = replace(dead, session="")
    opened = vault.opened()
    before = _rows(data, "vault_entry_versions", vault.id)
    changed = vault.ask("PUT", "/passphrase", old=PASSPHRASE, new=NEW_PASSPHRASE)
    stage.expect("done", changed.status_code == 204)
    after = _rows(data, "vault_entry_versions", vault.id)
    stage.expect("no entry is written anew for it", before == after, f"{len(after)} versions")
    stage.expect("sessions have ended", problem(opened.read()) == "423 vault-locked")
    refused = vault.unlock(PASSPHRASE)
    stage.expect("the old one: 403", problem(refused) == "403 wrong-passphrase", seen(refused))
    content = vault.opened(NEW_PASSPHRASE).read().json()["content"]
    stage.expect("the new one opens what was there", content == FIRST)
    vault.ask("POST", "/lock").raise_for_status()


def another_master_key(stage: Stage, ada: User, vaults: str, data: Path) -> None:
    stage.step("A vault without a passphrase is under the master key, a file beside the database")
    vault = Vault(ada, ada.make(vaults, name="notes", path="~/vaults/notes")["id"])
    vault.put(NOTE)
    stage.expect("it needs no session", vault.read().json()["content"] == NOTE)
    stage.expect("the database has no word of it", not _is_in(NOTE, _files(data)))
    file = data / "symphony.sqlite3.master-key"
    stage.expect("only its owner may read the file", file.stat().st_mode & 0o777 == 0o600)

    stage.step("symphony vault rewrap: another master key, while the service runs")
    before, old_key = _first_row(data, "vault_keys", vault.id), file.read_text()
    done = subprocess.run(  # noqa: S603 - our own program
        [SYMPHONY, "vault", "rewrap"],
        env=os.environ | {"SYMPHONY_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=REWRAPS_WITHIN,
        check=False,
    )
    after = _first_row(data, "vault_keys", vault.id)
    stage.expect("it is done", done.returncode == 0, (done.stdout + done.stderr).strip())
    names = [
        (when, row["master_key_name"].hex()) for when, row in (("before", before), ("after", after))
    ]
    stage.show("", "name of the master key", rows=names)
    stage.expect("the vault's key is under another one", names[0][1] != names[1][1])
    stage.expect("the old one is not in the file any more", old_key not in file.read_text())
    stage.expect("the service reads on", vault.read().json()["content"] == NOTE)


def end(stage: Stage, server: Server, data: Path) -> None:
    stage.step("Told to stop (SIGTERM), the service leaves no secret behind")
    status, seconds = server.stop()
    stage.expect("it ends as it should", status == 0, f"exit code {status}, {seconds:.1f} s")
    words = (PASSPHRASE, NEW_PASSPHRASE, KEY, FIRST, SECOND, NOTE, "symv_")
    kept = _files(data)
    stage.expect("none in its database", not any(_is_in(word, kept) for word in words))
    stage.expect("none in its log", not any(word in server.log for word in words))


def _told(answer: httpx.Response) -> str:
    return "200" if answer.status_code == 200 else problem(answer)


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
    """The rows of a vault, past the service."""
    of_vault = {
        "vault_keys": "vault_id = ?",
        "vault_entries": "vault_id = ?",
        "vault_entry_versions": "entry_id IN (SELECT id FROM vault_entries WHERE vault_id = ?)",
    }[table]
    with closing(sqlite3.connect(data / "symphony.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row
        statement = f"SELECT * FROM {table} WHERE {of_vault}"  # noqa: S608 - names from above
        return [dict(row) for row in connection.execute(statement, (vault_id.replace("-", ""),))]


def _as_kept(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    shown = value[:24].hex(" ", 4)
    return f"{shown}{' …' if len(value) > 24 else ''}  ({len(value)} bytes)"


def _files(data: Path) -> bytes:
    """Everything of the database, with what is not written back yet."""
    return b"\0".join(file.read_bytes() for file in data.glob("symphony.sqlite3*"))


def _is_in(word: str, kept: bytes) -> bool:
    return word.encode() in kept


if __name__ == "__main__":
    perform(story)

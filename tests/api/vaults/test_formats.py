"""Stored vault data decrypt exactly as docs/vaults.md ("The formats") describes.

The test is written from that page and uses only libraries, so it fails when a record lacks a part
of its associated data.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from uuid import UUID

import pytest
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from symphony.infrastructure.database.engine import Engines
from tests.conftest import MASTER_KEY
from tests.support.api import User
from tests.support.vault_rows import Row, read_rows
from tests.support.vaults import OpenVault

# A store that outlives the engine that reads the rows.
pytestmark = pytest.mark.parametrize("store_kind", ["postgresql", "sqlite-file"], indirect=True)

PASSPHRASE = "a horse, a battery and a staple"
KEY, CONTENT = "clients/acme/db", "grüße"


def opened(key: bytes, record: bytes, purpose: str, vault: UUID, *further: bytes) -> bytes:
    parts = (b"\x01", purpose.encode(), vault.bytes, *further)
    associated = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert record[:1] == b"\x01"
    return AESGCM(key).decrypt(record[1:13], record[13:], associated)


def derived(key: bytes, name: str) -> bytes:
    return HKDF(SHA256(), 32, None, f"symphony vault {name}".encode()).derive(key)


def of_vault(rows: list[Row], vault: UUID) -> Row:
    (row,) = (each for each in rows if each["vault_id"] == vault)
    return row


@pytest.mark.long
async def test_a_data_key_opens_with_the_passphrase_and_with_a_session(
    ada: User, engines: Engines
) -> None:
    created = await OpenVault.created(ada, (await ada.workspace())["id"], "v", PASSPHRASE)
    by_token = ada.using((await ada.api_token())["token"])
    session = (await OpenVault(by_token, created.id, PASSPHRASE).opened()).session
    rows, vault = await read_rows(engines), UUID(created.id)
    kept = of_vault(rows["vault_keys"], vault)
    how = [kept[name] for name in ("memory", "passes", "lanes")]
    memory, passes, lanes = how
    key = hash_secret_raw(
        PASSPHRASE.encode(), kept["salt"], passes, memory, lanes, 32, Type.ID, version=0x13
    )
    numbers = [str(each).encode() for each in how]
    wrapped = (kept["wrapped"], "data key", vault, b"passphrase", kept["salt"], *numbers)
    data_key = opened(key, *wrapped)
    own = of_vault(rows["vault_sessions"], vault)
    assert own["session_hash"] == derived(session.encode(), "session name")
    token_hash = hashlib.sha256(by_token.token.encode()).digest()
    key = derived(session.encode() + token_hash, "session key")
    about = (own["session_hash"], own["api_token_id"].bytes, own["expires_at"].isoformat().encode())
    assert opened(key, own["wrapped"], "session", vault, *about) == data_key


async def test_entries_decrypt_with_keys_derived_from_the_data_key(
    ada: User, engines: Engines
) -> None:
    created = await OpenVault.created(ada, (await ada.workspace())["id"], "v")
    for key in (KEY, KEY, "clients/b"):
        assert (await created.put(key, CONTENT)).is_success
    rows, vault = await read_rows(engines), UUID(created.id)
    master_key = base64.urlsafe_b64decode(MASTER_KEY + "=")
    kept = of_vault(rows["vault_keys"], vault)
    name = hashlib.sha256(b"symphony master key\0" + master_key).digest()[:16]
    assert kept["master_key_name"] == name
    data_key = opened(master_key, kept["wrapped"], "data key", vault, b"master key", name)

    lookup = hmac.digest(derived(data_key, "entry lookup"), KEY.encode(), "sha256")
    (entry,) = (each for each in rows["vault_entries"] if each["lookup"] == lookup)
    about = (entry["id"].bytes, lookup, b"2", b"1")
    key = opened(derived(data_key, "entry"), entry["sealed"], "entry", vault, *about)
    assert key == KEY.encode()

    versions = [each for each in rows["vault_entry_versions"] if each["entry_id"] == entry["id"]]
    assert len(versions) == 2
    for each in versions:
        about = (entry["id"].bytes, str(each["version"]).encode())
        subkey = derived(data_key, "entry facts")
        facts = opened(subkey, each["facts"], "entry facts", vault, *about)
        content_type, encoding, size, moment = json.loads(facts)
        assert (content_type, encoding, size) == ("text/plain", "utf-8", len(CONTENT.encode()))
        shown = (await created.get(KEY, each["version"])).json()["created_at"]
        assert datetime.fromisoformat(shown) == datetime.fromisoformat(moment)
        subkey, about = derived(data_key, "entry content"), (*about, KEY.encode(), facts)
        content = opened(subkey, each["content"], "entry content", vault, *about)
        assert content == CONTENT.encode()

    page = await created.ask("GET", "/entries?prefix=clients/&limit=1")
    cursor = base64.urlsafe_b64decode(page.json()["next_cursor"] + "==")
    about = (UUID(ada.id).bytes, b"clients/")
    assert opened(derived(data_key, "cursor"), cursor, "cursor", vault, *about) == KEY.encode()

"""Sealed records open only as what they were sealed as, and where."""

import hmac

import pytest

from symphony.domain.base import new_id
from symphony.domain.vaults.keys import DataKey, Tampered
from symphony.infrastructure.vaults.sealing import AesGcmSealing

SEALING = AesGcmSealing()
KEY = b"k" * 32
ABOUT = (b"vault", b"1")


def opens(sealed: bytes, *about: bytes, key: bytes = KEY, purpose: str = "entry") -> bool:
    try:
        SEALING.open(key, sealed, purpose, *about)
    except Tampered:
        return False
    return True


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 262_144])
def test_what_is_sealed_is_opened(content: bytes) -> None:
    sealed = SEALING.seal(KEY, content, "entry", *ABOUT)
    assert SEALING.open(KEY, sealed, "entry", *ABOUT) == content
    assert len(sealed) == 1 + 12 + len(content) + 16
    assert sealed[0] == 1


def test_nothing_shows_and_no_two_records_are_the_same() -> None:
    records = {SEALING.seal(KEY, b"a secret", "entry", *ABOUT) for _ in range(100)}
    assert len({each[1:13] for each in records}) == 100
    assert not any(b"secret" in each for each in records)


def test_with_anything_else_it_does_not_open() -> None:
    sealed = SEALING.seal(KEY, b"content", "entry", *ABOUT)
    assert opens(sealed, *ABOUT)
    assert not opens(sealed, *ABOUT, key=b"x" * 32)
    assert not opens(sealed, *ABOUT, purpose="cursor")
    # What is about it is parted by lengths, so that nothing moves from one part into another.
    for about in ((), (b"vault",), (b"vault1",), (b"vaul", b"t1"), (*ABOUT, b""), ABOUT[::-1]):
        assert not opens(sealed, *about)


def test_every_altered_or_missing_byte_is_noticed() -> None:
    sealed = SEALING.seal(KEY, b"content", "entry", *ABOUT)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        assert not opens(bytes(altered), *ABOUT), place
        assert not opens(sealed[:place], *ABOUT), place
    assert not opens(sealed + b"\0", *ABOUT)


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = {SEALING.subkey(key, purpose) for key in (KEY, b"x" * 32) for purpose in ("a", "b")}
    assert len(keys) == 4
    assert {len(each) for each in keys} == {32}
    assert SEALING.subkey(KEY, "a") == SEALING.subkey(KEY, "a")


def test_derived_keys_are_those_of_rfc_5869() -> None:
    # With its own implementation of HMAC from the standard library, step by step.
    extracted = hmac.digest(bytes(32), KEY, "sha256")
    expanded = hmac.digest(extracted, b"symphony vault entry\x01", "sha256")
    assert SEALING.subkey(KEY, "entry") == expanded


def test_a_data_key_opens_nothing_of_another_vault() -> None:
    one, other = (DataKey(new_id(), KEY, SEALING) for _ in range(2))
    sealed = one.seal(b"content", "entry", b"about")
    assert one.open(sealed, "entry", b"about") == b"content"
    for wrong in (
        lambda: other.open(sealed, "entry", b"about"),
        lambda: one.open(sealed, "entry facts", b"about"),
        lambda: one.open(sealed, "entry"),
    ):
        with pytest.raises(Tampered):
            wrong()
    assert "kkkk" not in repr(one)

"""The search for planted secrets finds them, in every form that it says it does."""

import base64
import hashlib
import json
import secrets
import zlib

import pytest

from tests.support.canaries import Canaries, forms, word


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_a_secret_is_found_however_it_is_written_and_whatever_stands_around_it(
    before: bytes,
) -> None:
    for secret in (secrets.token_bytes(32), word().encode(), "grüße an alle".encode()):
        canaries = Canaries()
        canaries.plant("secret", secret)
        around = before + secret + b"after"
        for place in (
            around,
            around.hex().encode(),
            around.hex().upper().encode(),
            base64.b64encode(around),
            base64.urlsafe_b64encode(around),
            base64.urlsafe_b64encode(before + secret).rstrip(b"="),
        ):
            assert canaries.found_in(b"much " + place + b" else"), place


def test_a_text_is_found_in_utf_16_and_in_json() -> None:
    canaries = Canaries()
    text = canaries.plant("text")
    for place in (text.encode("utf-16"), text.encode("utf-16-be"), json.dumps({text: 1}).encode()):
        assert canaries.found_in(place)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_a_fast_hash_of_what_can_be_guessed_is_found(name: str) -> None:
    canaries = Canaries()
    hashed = hashlib.new(name, canaries.plant("passphrase", guessable=True).encode())
    for place in (hashed.digest(), hashed.hexdigest().encode(), base64.b64encode(hashed.digest())):
        assert canaries.found_in(place)
    random = Canaries()
    random.plant("session", "long and random")
    assert random.found_in(hashlib.sha256(b"long and random").digest()) == []


def test_what_is_not_there_or_may_be_shown_there_is_not_found() -> None:
    canaries = Canaries()
    content, other = canaries.plant("content"), canaries.plant("other")
    assert canaries.found_in(zlib.compress(secrets.token_bytes(100_000))) == []
    assert canaries.found_in(content.encode(), shown=frozenset({"content"})) == []
    assert canaries.found_in(f"{content} {other}".encode(), shown=frozenset({"content"})) == [
        "other (as it is)"
    ]


def test_no_form_is_so_short_that_it_would_be_found_by_chance() -> None:
    assert min(len(written) for _, written in forms(word().encode())) >= 16

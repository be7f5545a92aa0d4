"""Access tokens: only what this service has signed, and only until it expires."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import jwt
import pytest

from symphony.domain.base import new_id
from symphony.domain.user_profiles import FIRST_GENERATION
from symphony.infrastructure import access_tokens
from symphony.infrastructure.access_tokens import LEEWAY, JwtAccessTokens

KEY = b"k" * 32
USER = new_id()
TOKENS = JwtAccessTokens(KEY, lifetime=60)


def signed(claims: dict[str, Any], key: bytes = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)  # pyright: ignore[reportUnknownMemberType] - names types of an optional package


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def claims(**others: Any) -> dict[str, Any]:
    return {"sub": str(USER), "exp": int(time.time()) + 7200} | others


def whose(tokens: JwtAccessTokens, token: str) -> UUID | None:
    read = tokens.read(token)
    return read.user_id if read else None


def test_a_token_names_its_user_its_generation_and_its_times() -> None:
    before = datetime.now(UTC)
    read = TOKENS.read(TOKENS.issue(USER, 7))
    assert read is not None
    assert (read.user_id, read.generation) == (USER, 7)
    # JWTs count in whole seconds.
    assert timedelta(seconds=58) < read.expires_at - before < timedelta(seconds=90)
    assert read.issued_at is not None
    assert timedelta(seconds=-1) < read.issued_at - before < timedelta(seconds=30)


def test_a_token_from_before_generations_were_counted_is_one_of_the_first() -> None:
    read = TOKENS.read(signed(claims()))
    assert read is not None
    assert (read.generation, read.issued_at) == (FIRST_GENERATION, None)


def test_another_process_with_the_same_key_reads_it() -> None:
    assert whose(JwtAccessTokens(KEY, lifetime=1), TOKENS.issue(USER, FIRST_GENERATION)) == USER


def test_a_token_that_was_read_before_expires_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, begun = JwtAccessTokens(KEY, lifetime=60), time.time()
    token = tokens.issue(USER, FIRST_GENERATION)
    assert whose(tokens, token) == whose(tokens, token) == USER
    monkeypatch.setattr(time, "time", lambda: begun + 59)
    assert whose(tokens, token) == USER
    monkeypatch.setattr(time, "time", lambda: begun + 60 + LEEWAY.seconds + 1)
    assert whose(tokens, token) is None


def test_the_clock_of_another_machine_may_differ_by_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token, now = TOKENS.issue(USER, FIRST_GENERATION), int(time.time())
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time", lambda: now + 60 + 50)
        first, second = JwtAccessTokens(KEY, lifetime=60).read(token), TOKENS.read(token)
        assert first == second
        assert first is not None
        # What is bound to the token, such as a session, must not have expired already.
        assert first.expires_at.timestamp() > now + 60 + 50
    assert whose(TOKENS, signed(claims(exp=now - 50))) == USER
    assert whose(TOKENS, signed(claims(exp=now - 70))) is None
    assert whose(TOKENS, signed(claims(nbf=now + 50))) == USER
    assert whose(TOKENS, signed(claims(nbf=now + 70))) is None
    assert whose(TOKENS, signed(claims(exp=253402300799))) == USER


@pytest.mark.parametrize("seconds", [-86_400, 5, 3600, 86_400 * 365])
def test_the_time_at_which_a_token_was_issued_is_no_reason_to_refuse_it(seconds: int) -> None:
    # RFC 7519, section 4.1.6: informative. The clock of the machine that issued it was ahead.
    assert whose(TOKENS, signed(claims(iat=int(time.time()) + seconds))) == USER


def test_the_cache_is_bounded_and_other_tokens_stay_valid() -> None:
    tokens = JwtAccessTokens(KEY, lifetime=60, cache_size=2)
    users = [new_id() for _ in range(5)]
    issued = [tokens.issue(user, FIRST_GENERATION) for user in users]
    for _ in range(2):
        assert [whose(tokens, token) for token in issued] == users
    assert len(tokens._cache) == 2  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - that it has a bound is what is tried


def test_the_cache_drops_the_least_recently_used_token() -> None:
    tokens = JwtAccessTokens(KEY, lifetime=60, cache_size=2)
    in_use, other, third = (tokens.issue(new_id(), FIRST_GENERATION) for _ in range(3))
    for token in (in_use, other, in_use, third):
        tokens.read(token)
    with patch.object(access_tokens, "_decode", wraps=access_tokens._decode) as verified:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - counts what the cache saves
        tokens.read(in_use)
        tokens.read(third)
        assert verified.call_count == 0
        tokens.read(other)
        assert verified.call_count == 1


@pytest.mark.parametrize("lifetime", [-60, -61, -3600])
def test_an_expired_token_is_nobodys(lifetime: int) -> None:
    assert whose(TOKENS, JwtAccessTokens(KEY, lifetime).issue(USER, FIRST_GENERATION)) is None


@pytest.mark.parametrize(
    "token",
    [
        signed(claims(), key=b"x" * 32),
        signed(claims(), key=KEY[:-1] + b"x"),
        signed(claims(), key=KEY * 2, algorithm="HS512"),
        signed(claims(), key=KEY * 2, algorithm="HS384"),
        signed({"sub": str(USER)}),
        signed({"exp": int(time.time()) + 60}),
        signed(claims(sub="")),
        signed(claims(sub="ada")),
        signed(claims(exp="tomorrow")),
        signed(claims(exp=None)),
        signed(claims(nbf=int(time.time()) + 3600)),
        encoded(b'{"alg":"none","typ":"JWT"}') + "." + encoded(json.dumps(claims()).encode()) + ".",
        encoded(b'{"alg":"None"}') + "." + encoded(json.dumps(claims()).encode()) + ".x",
    ],
)
def test_what_this_service_would_not_sign_is_nobodys(token: str) -> None:
    assert whose(TOKENS, token) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "\ud800.\ud800.\ud800",
        "\0",
        "x" * 10_000,
        encoded(b"[]") + "." + encoded(b"{}") + ".x",
        encoded(b'{"alg":1}') + "." + encoded(b"{}") + ".x",
        encoded(b"[" * 20_000) + "." + encoded(b"{}") + ".x",
        encoded(b'{"alg":' + b"9" * 10_000 + b"}") + "." + encoded(b"{}") + ".x",
    ],
)
def test_what_is_no_token_at_all_is_nobodys(token: str) -> None:
    assert whose(TOKENS, token) is None


def test_a_token_that_was_altered_anywhere_is_nobodys() -> None:
    token = TOKENS.issue(USER, FIRST_GENERATION)
    altered = [
        token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        for at in range(len(token) - 1)
    ]
    assert {whose(TOKENS, each) for each in altered} == {None}

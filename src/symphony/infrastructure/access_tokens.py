"""Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC and SHA-256."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from symphony.application.ports import AccessToken
from symphony.domain.user_profiles import FIRST_GENERATION

_ALGORITHM = "HS256"
LEEWAY = timedelta(minutes=1)
"""How far the clocks of two machines may differ (RFC 7519, sections 4.1.4 and 4.1.5)."""
_LAST_EXPIRY = datetime.max.replace(tzinfo=UTC) - LEEWAY
# `iat` is informative (RFC 7519, section 4.1.6): a token from a clock that is ahead is valid.
_OPTIONS = {"require": ["exp", "sub"], "verify_iat": False}
# A token without it is of the version before, which issued the first generation only.
_GENERATION = "generation"
# The library's signatures name types of the package cryptography, which HMAC does not need.
_encode: Callable[..., str] = jwt.encode  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
_decode: Callable[..., dict[str, Any]] = jwt.decode  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class JwtAccessTokens:
    """Access tokens with the service's own signature.

    Each is valid until it expires, or until the user's generation of tokens is over: the caller of
    `read` compares the token's generation with that of the profile.
    """

    def __init__(self, key: bytes, lifetime: int, cache_size: int = 4096) -> None:
        """Set the `lifetime` of tokens in seconds, and the number of verified tokens to keep."""
        self._key = key
        self.lifetime = lifetime
        # Verifying a signature costs as much as answering a small request, and its result does not
        # change. The least recently used tokens are dropped. The keys are hashes, so that no token
        # stays in memory.
        self._cache: OrderedDict[bytes, AccessToken] = OrderedDict()
        self._cache_size = cache_size

    def issue(self, user_id: UUID, generation: int) -> str:
        now = int(time.time())
        claims = {
            "sub": str(user_id),
            "iat": now,
            "exp": now + self.lifetime,
            _GENERATION: generation,
        }
        return _encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> AccessToken | None:
        """Return the claims of a token; None if it is invalid.

        A token that expired by this clock is accepted for another minute. The expiry time returned
        includes that minute then, so that what is bound to the token has not expired already.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._cache.get(digest) or self._verify(token)
        if verified is None:
            return None
        now = datetime.fromtimestamp(time.time(), UTC)
        if verified.expires_at + LEEWAY <= now:
            self._cache.pop(digest, None)
            return None
        self._cache[digest] = verified
        self._cache.move_to_end(digest)
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
        if verified.expires_at > now:
            return verified
        return replace(verified, expires_at=verified.expires_at + LEEWAY)

    def has_expired(self, token: str) -> bool:
        try:
            claims = _decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                options={"verify_exp": False, "verify_iat": False},
            )
            return datetime.fromtimestamp(claims["exp"], UTC) <= datetime.now(UTC)
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError, OSError):
            return False

    def _verify(self, token: str) -> AccessToken | None:
        try:
            claims = _decode(
                token, self._key, algorithms=[_ALGORITHM], options=_OPTIONS, leeway=LEEWAY
            )
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
            issued_at = claims.get("iat")
            return AccessToken(
                UUID(claims["sub"]),
                int(claims.get(_GENERATION, FIRST_GENERATION)),
                None if issued_at is None else datetime.fromtimestamp(issued_at, UTC),
                min(expires_at, _LAST_EXPIRY),
            )
        except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError):
            return None

"""Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC and SHA-256."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import jwt

_ALGORITHM = "HS256"
# The library's signatures name types of the package cryptography, which HMAC does not need.
_encode: Callable[..., str] = jwt.encode  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
_decode: Callable[..., dict[str, Any]] = jwt.decode  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class JwtAccessTokens:
    """Issues and reads tokens that are valid until they expire, whatever happens meanwhile."""

    def __init__(self, key: bytes, lifetime: int) -> None:
        self._key = key
        self.lifetime = lifetime

    def issue(self, user_id: UUID) -> str:
        now = int(time.time())
        claims = {"sub": str(user_id), "iat": now, "exp": now + self.lifetime}
        return _encode(claims, self._key, algorithm=_ALGORITHM)

    def user_id(self, token: str) -> UUID | None:
        try:
            claims = _decode(
                token, self._key, algorithms=[_ALGORITHM], options={"require": ["exp", "sub"]}
            )
            return UUID(claims["sub"])
        except (jwt.InvalidTokenError, ValueError):
            return None

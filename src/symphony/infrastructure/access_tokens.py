"""Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC and SHA-256."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt

_ALGORITHM = "HS256"
_REMEMBERED = 4096  # tokens
# The library's signatures name types of the package cryptography, which HMAC does not need.
_encode: Callable[..., str] = jwt.encode  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
_decode: Callable[..., dict[str, Any]] = jwt.decode  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class JwtAccessTokens:
    """Issues and reads tokens that are valid until they expire, whatever happens meanwhile."""

    def __init__(self, key: bytes, lifetime: int) -> None:
        self._key = key
        self.lifetime = lifetime
        # Whose a token is and when it expires does not change, and checking its signature costs as
        # much as answering a small request. By their hashes: tokens do not lie about in memory.
        self._known: OrderedDict[bytes, tuple[UUID, datetime]] = OrderedDict()

    def issue(self, user_id: UUID) -> str:
        now = int(time.time())
        claims = {"sub": str(user_id), "iat": now, "exp": now + self.lifetime}
        return _encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> tuple[UUID, datetime] | None:
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest) or self._verified(token)
        if known is None:
            return None
        if known[1].timestamp() <= time.time():
            self._known.pop(digest, None)
            return None
        self._known[digest] = known
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _verified(self, token: str) -> tuple[UUID, datetime] | None:
        """Whose token it is, and until when; None for one that is not ours, altered or expired."""
        try:
            claims = _decode(
                token, self._key, algorithms=[_ALGORITHM], options={"require": ["exp", "sub"]}
            )
            return UUID(claims["sub"]), datetime.fromtimestamp(claims["exp"], UTC)
        except (jwt.InvalidTokenError, ValueError, OverflowError):
            return None

"""Access tokens as if they had been issued at another time."""

import time
from unittest.mock import patch
from uuid import UUID

from symphony.domain.user_profiles import FIRST_GENERATION
from symphony.infrastructure.access_tokens import JwtAccessTokens
from symphony.infrastructure.derived_keys import derive_key
from tests.conftest import SECRET
from tests.support.api import User

_TOKENS = JwtAccessTokens(derive_key(SECRET.encode(), "access tokens"), 3600)


def signed_in_before(user: User, seconds: float, generation: int = FIRST_GENERATION) -> User:
    """The same user, with the access token of a sign-in some seconds ago."""
    moment = time.time() - seconds
    with patch.object(time, "time", lambda: moment):
        return user.using(_TOKENS.issue(UUID(user.id), generation))

"""The identification of a caller by a token."""

from dataclasses import dataclass, field

from symphony.application.api_tokens import (
    FindApiToken,
    MarkApiTokenUsed,
    find_api_token,
    mark_api_token_used,
)
from symphony.application.app import Application
from symphony.application.callers import Caller
from symphony.domain.api_tokens import (
    SCOPES_OF_ACCESS_TOKENS,
    TOKEN_PREFIX,
    USE_RESOLUTION,
    hash_token,
)
from symphony.domain.base import utc_now
from symphony.domain.errors import TokenRefused


@dataclass(frozen=True, slots=True)
class IdentifyCaller:
    token: str = field(repr=False)
    is_query: bool = False
    """Whether the request changes nothing."""


async def identify_caller(command: IdentifyCaller, app: Application) -> tuple[Caller, Application]:
    """Return the user of a token, and the application for the caller's request.

    The application checks with each command and query that an access token is still current, or
    that an API token is still valid.

    Raises: TokenRefused for a token that is unknown, expired or revoked.
    """
    if command.token.startswith(TOKEN_PREFIX):
        return await _identify_by_api_token(command, app)
    read = app.access_tokens.read(command.token)
    if read is None:
        if app.access_tokens.has_expired(command.token):
            raise TokenRefused("The access token has expired; sign in again.")
        raise TokenRefused("The token is not valid; sign in to get an access token.")
    caller = Caller(
        read.user_id,
        SCOPES_OF_ACCESS_TOKENS,
        hash_token(command.token),
        read.expires_at,
        signed_in_at=read.issued_at,
        generation=read.generation,
    )
    return caller, app.with_access_token(read, is_query=command.is_query)


async def _identify_by_api_token(
    command: IdentifyCaller, app: Application
) -> tuple[Caller, Application]:
    needs_last_write = command.is_query and app.replicas is not None
    query = FindApiToken(hash_token(command.token), with_last_write=needs_last_write)
    found, last_write = await app.ask(find_api_token, query)
    if found is None:
        raise TokenRefused("The API token is not valid: it does not exist, or has been revoked.")
    found.require_unexpired()
    # A use in the future was stored before the clock was set back.
    if found.last_used_at is None or abs(utc_now() - found.last_used_at) > USE_RESOLUTION:
        await app.run(mark_api_token_used, MarkApiTokenUsed(found.id))
    caller = Caller(
        found.user_profile_id,
        frozenset(found.scopes),
        found.token_hash,
        found.expires_at,
        found.id,
        is_confined=found.is_confined,
        machine_id=found.machine_id,
    )
    return caller, app.with_api_token(found, last_write, is_query=command.is_query)

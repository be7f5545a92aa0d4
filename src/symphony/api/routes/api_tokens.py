"""Routes of API tokens."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from symphony.api.conditions import answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import WHOLE_NUMBER, ApiTokenId, Name, UserProfileId, UtcTime
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.pagination import Paged
from symphony.api.problems.errors import ApiError
from symphony.api.responses import CreatedAt, NextCursor, Representation
from symphony.api.routing import PREFIX, READ, REPORT, WRITE, needs_scopes, of_whole_user, router
from symphony.application import api_tokens as use_cases
from symphony.domain import api_tokens as rules
from symphony.domain.api_tokens import (
    MAX_TOKEN_WORKSPACES,
    ApiToken,
    Scope,
    expiry,
    new_api_token,
)
from symphony.domain.base import tag_of_fields
from symphony.domain.tokens.rotation import MAX_OVERLAP

routes = router("API tokens")

TokenName = Annotated[Name, Field(examples=["laptop"])]
_SCOPES_FIELD = Field(
    description="What the token allows: `read` for GET, `write` for other methods, `secrets` beside"
    " these for unlocking vaults and for their entries; `report` alone is for one machine.",
    examples=[["read", "write"]],
)


class ApiTokenCreate(BaseModel):
    """The fields of a new API token."""

    model_config = ConfigDict(extra="forbid")

    name: TokenName
    scopes: Annotated[
        list[Scope], Field(min_length=1, max_length=16), _SCOPES_FIELD, AfterValidator(rules.scopes)
    ]
    expires_at: Annotated[
        UtcTime | None,
        AfterValidator(expiry),
        Field(
            description="When the token expires, in the future. Without it, a token that an API"
            " token creates expires with that one, every other one never.",
            examples=["2027-01-31T12:00:00Z"],
        ),
    ] = None
    workspace_ids: Annotated[
        list[UUID] | None,
        Field(
            min_length=1,
            max_length=MAX_TOKEN_WORKSPACES,
            description="The workspaces to which the token is confined: nothing else exists for it,"
            " and it cannot do what concerns its user as a whole. Null for all workspaces.",
            # No example here and below: OpenAPI Generator cannot read a null one, and warns.
        ),
    ] = None
    machine_id: Annotated[
        UUID | None,
        Field(
            description="The machine whose state the token may report; required with the scope"
            " `report`, otherwise null.",
        ),
    ] = None


@dataclass(slots=True)
class ApiTokenResponse(Representation):
    """An API token without its secret."""

    id: ApiTokenId
    name: TokenName
    scopes: Annotated[tuple[Scope, ...], _SCOPES_FIELD]
    expires_at: Annotated[
        datetime | None,
        Field(
            description="When the token expires; null for never.", examples=["2027-01-31T12:00:00Z"]
        ),
    ]
    created_at: CreatedAt
    last_used_at: Annotated[
        datetime | None,
        Field(description="When the token was last used; null before.", examples=[None]),
    ]
    workspace_ids: Annotated[
        tuple[UUID, ...] | None,
        Field(
            description="The workspaces to which the token is confined, without those that were"
            " deleted since; null if it is not confined.",
            examples=[None],
        ),
    ]
    machine_id: Annotated[
        UUID | None,
        Field(
            description="The machine whose state the token may report; null without the scope"
            " `report`.",
            examples=[None],
        ),
    ]


@dataclass(slots=True)
class CreatedApiTokenResponse(ApiTokenResponse):
    """A new API token with its secret."""

    token: Annotated[
        str,
        Field(
            description="The secret. It is returned only in this response.",
            examples=["sym_mV1Jm7yD0cXw3bq9ZkT5uR8sLhPgNfEaYtIoC2WxQ4"],
        ),
    ] = field(repr=False)


@dataclass(slots=True)
class ApiTokenList:
    """A page of API tokens."""

    items: Annotated[list[ApiTokenResponse], Field(description="The tokens of this page.")]
    next_cursor: NextCursor


@routes.post(
    "/api-tokens",
    status_code=201,
    summary="Create an API token",
    responses=problem_responses(
        "insufficient-scope", "user-profile-not-found", "api-token-limit-reached"
    ),
)
@of_whole_user
async def create_api_token(
    body: ApiTokenCreate, response: Response, actor: Actor, app: App
) -> CreatedApiTokenResponse:
    """Creates a token for a program. Only this response has its secret; a hash is stored.

    A token that an API token creates has no scope that its creator lacks, expires with it at the
    latest, and is revoked with it. A token that is confined to workspaces creates none.
    """
    token = new_api_token()
    created = await app.run(
        use_cases.create_api_token,
        use_cases.CreateApiToken(
            actor=actor.user_id,
            token=token,
            name=body.name,
            scopes=tuple(body.scopes),
            expires_at=body.expires_at,
            actor_generation=actor.generation,
            creator_id=actor.api_token_id,
            workspace_ids=body.workspace_ids,
            machine_id=body.machine_id,
        ),
    )
    return _created(response, created, token)


@routes.get(
    "/api-tokens", summary="List API tokens", responses=problem_responses("user-profile-not-found")
)
@of_whole_user
async def list_api_tokens(
    listing: Paged,
    actor: Actor,
    app: App,
    expiring_within_days: Annotated[
        int | None,
        Query(
            ge=1,
            le=3650,
            description="Only tokens that expire within so many days, and have not expired.",
        ),
    ] = None,
) -> ApiTokenList:
    """Returns a page of your API tokens, without their secrets."""
    within = None if expiring_within_days is None else timedelta(days=expiring_within_days)
    page = await app.ask(
        use_cases.list_api_tokens, use_cases.ListApiTokens(actor.user_id, listing.page(), within)
    )
    return ApiTokenList(
        items=ApiTokenResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.delete(
    "/api-tokens/{api_token_id:other_than_current}",
    status_code=204,
    summary="Revoke an API token",
    responses=problem_responses("api-token-not-found"),
)
async def revoke_api_token(api_token_id: ApiTokenId, actor: Actor, app: App) -> None:
    """Revokes and deletes the token, and all tokens that it created: requests with them are
    refused from then on. A token that is confined to workspaces revokes only itself.
    """
    await app.run(use_cases.revoke_api_token, use_cases.RevokeApiToken(actor.reach, api_token_id))


@dataclass(slots=True)
class CurrentApiTokenResponse(ApiTokenResponse):
    """The API token of the request, and its user."""

    user_profile_id: UserProfileId


class ApiTokenRotation(BaseModel):
    """How an API token is replaced by its successor."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=int(MAX_OVERLAP.total_seconds()),
            description="How long the old token stays valid beside its successor, but not longer"
            " than it would have been; 0 revokes it at once.",
            examples=[600],
        ),
        WHOLE_NUMBER,
    ]
    expires_at: Annotated[
        UtcTime | None,
        AfterValidator(expiry),
        Field(
            description="When the successor expires, in the future. Without it, the successor gets"
            " the lifetime of the old token from now on; if an API token requests it, it expires"
            " with that one at the latest.",
            examples=["2027-01-31T12:00:00Z"],
        ),
    ] = None


@routes.get(
    "/api-tokens/current",
    summary="Get the API token of the request",
    responses=problem_responses("api-token-not-found"),
)
@needs_scopes(READ, WRITE, REPORT)
async def get_current_api_token(
    request: Request, response: Response, actor: Actor, app: App
) -> CurrentApiTokenResponse:
    """Returns the API token with which the request was made, without its secret."""
    if actor.api_token_id is None:
        raise ApiError("api-token-not-found", "The token of this request is an access token.")
    token = await app.ask(
        use_cases.get_current_api_token,
        use_cases.GetCurrentApiToken(actor.user_id, actor.api_token_id),
    )
    shown = CurrentApiTokenResponse.of(token)
    answer_if_modified(request, response, sha256(tag_of_fields(shown).encode()).hexdigest()[:32])
    return shown


@routes.post(
    "/api-tokens/{api_token_id}/rotate",
    status_code=201,
    summary="Rotate an API token",
    responses=problem_responses(
        "insufficient-scope", "api-token-not-found", "api-token-rotated", "api-token-limit-reached"
    ),
)
async def rotate_api_token(
    api_token_id: ApiTokenId, body: ApiTokenRotation, response: Response, actor: Actor, app: App
) -> CreatedApiTokenResponse:
    """Creates a successor with the same name and rights. Only this response has its secret.

    The old token expires after the overlap. What it created depends on the successor from then
    on. An API token can rotate itself and the tokens that it created, one that is confined to
    workspaces only itself.
    """
    token = new_api_token()
    successor = await app.run(
        use_cases.rotate_api_token,
        use_cases.RotateApiToken(
            actor=actor.reach,
            token_id=api_token_id,
            token=token,
            overlap=timedelta(seconds=body.overlap_seconds),
            expires_at=body.expires_at,
            actor_generation=actor.generation,
            caller_id=actor.api_token_id,
        ),
    )
    return _created(response, successor, token)


def _created(response: Response, created: ApiToken, token: str) -> CreatedApiTokenResponse:
    response.headers["Location"] = f"{PREFIX}/api-tokens/{created.id}"
    set_etag(response, created)
    response.headers["Cache-Control"] = "no-store"
    shown = ApiTokenResponse.of(created)
    return CreatedApiTokenResponse(**asdict(shown), token=token)

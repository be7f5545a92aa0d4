"""Routes of API tokens."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from symphony.api.conditions import set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import ApiTokenId, Name, UtcTime
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.pagination import Paged
from symphony.api.responses import CreatedAt, NextCursor, Representation
from symphony.api.routing import PREFIX, of_whole_user, router
from symphony.application import api_tokens as use_cases
from symphony.domain import api_tokens as rules
from symphony.domain.api_tokens import MAX_TOKEN_WORKSPACES, Scope, expiry, new_api_token

routes = router("API tokens")

TokenName = Annotated[Name, Field(examples=["laptop"])]
_SCOPES_FIELD = Field(
    description="What the token allows: `read` for GET, `write` for other methods, `secrets` beside"
    " these for unlocked vaults and entries; `report` alone is for one machine.",
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
            examples=[None],
        ),
    ] = None
    machine_id: Annotated[
        UUID | None,
        Field(
            description="The machine whose state the token may report; required with the scope"
            " `report`, otherwise null.",
            examples=[None],
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
    response.headers["Location"] = f"{PREFIX}/api-tokens/{created.id}"
    set_etag(response, created)
    response.headers["Cache-Control"] = "no-store"
    shown = ApiTokenResponse.of(created)
    return CreatedApiTokenResponse(**asdict(shown), token=token)


@routes.get(
    "/api-tokens", summary="List API tokens", responses=problem_responses("user-profile-not-found")
)
@of_whole_user
async def list_api_tokens(listing: Paged, actor: Actor, app: App) -> ApiTokenList:
    """Returns a page of your API tokens, without their secrets."""
    page = await app.ask(
        use_cases.list_api_tokens, use_cases.ListApiTokens(actor.user_id, listing.page())
    )
    return ApiTokenList(
        items=ApiTokenResponse.of_each(page.items),
        next_cursor=listing.next_cursor(page),
    )


@routes.delete(
    "/api-tokens/{api_token_id}",
    status_code=204,
    summary="Revoke an API token",
    responses=problem_responses("api-token-not-found"),
)
async def revoke_api_token(api_token_id: ApiTokenId, actor: Actor, app: App) -> None:
    """Revokes and deletes the token, and all tokens that it created: requests with them are
    refused from then on. A token that is confined to workspaces revokes only itself.
    """
    await app.run(use_cases.revoke_api_token, use_cases.RevokeApiToken(actor.reach, api_token_id))

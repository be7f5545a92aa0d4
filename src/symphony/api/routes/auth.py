"""Routes to sign in, and to keep API tokens."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Form, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from symphony.api.conditions import set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import ApiTokenId, Name, UtcTime
from symphony.api.pagination import Paged
from symphony.api.problems.catalogue import documented
from symphony.api.responses import CreatedAt, NextCursor, Representation
from symphony.api.routing import PREFIX, router
from symphony.application import api_tokens as use_cases
from symphony.application.orchestrations import sign_in
from symphony.domain.api_tokens import Scope, new_api_token
from symphony.domain.json_objects import storable_text

public_routes = router("sign-in", public=True)
routes = router("API tokens")

Credential = Annotated[str, AfterValidator(storable_text), Field(max_length=1024)]


class GrantType(StrEnum):
    """The one grant that there is."""

    PASSWORD = "password"  # noqa: S105 - a grant's name


class SignInForm(BaseModel):
    """The password form of OAuth 2 (RFC 6749, section 4.3.2)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "grant_type": "password",
                    "username": "ada",
                    "password": "correct horse battery staple",
                }
            ]
        },
    )

    username: Annotated[Credential, Field(description="The user name, or the e-mail address.")]
    password: Annotated[
        Credential,
        Field(
            repr=False,
            description="The password.",
            json_schema_extra={"format": "password", "writeOnly": True},
        ),
    ]
    grant_type: Annotated[GrantType, Field(description="Always `password`.")] = GrantType.PASSWORD
    # Clients of OAuth 2 send these as well; access tokens do not differ by them.
    scope: Annotated[Credential, Field(description="Accepted, and not looked at.")] = ""
    client_id: Annotated[Credential, Field(description="Accepted, and not looked at.")] = ""
    client_secret: Annotated[
        Credential, Field(repr=False, description="Accepted, and not looked at.")
    ] = ""


@dataclass(slots=True)
class AccessTokenResponse:
    """An access token (RFC 6749, section 5.1)."""

    access_token: Annotated[
        str,
        Field(
            description="To be sent as `Authorization: Bearer …`.",
            examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMWExIn0.4rBfN0cS1dE"],
        ),
    ] = field(repr=False)
    token_type: Annotated[str, Field(description="Always `bearer`.", examples=["bearer"])]
    expires_in: Annotated[
        int, Field(description="For how many seconds it is valid.", examples=[3600])
    ]


TokenName = Annotated[Name, Field(examples=["laptop"])]
_ABOUT_SCOPES = Field(
    description="What it allows: `read` for GET, `write` for the rest.",
    examples=[["read", "write"]],
)


class ApiTokenCreate(BaseModel):
    """What an API token is made from."""

    model_config = ConfigDict(extra="forbid")

    name: TokenName
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=16), _ABOUT_SCOPES]
    expires_at: Annotated[
        UtcTime | None,
        Field(
            description="When it ends by itself; never, without.",
            examples=["2027-01-31T12:00:00Z"],
        ),
    ] = None


@dataclass(slots=True)
class ApiTokenResponse(Representation):
    """An API token, without the token itself."""

    id: ApiTokenId
    name: TokenName
    scopes: Annotated[tuple[Scope, ...], _ABOUT_SCOPES]
    expires_at: Annotated[
        datetime | None,
        Field(description="When it ends by itself.", examples=["2027-01-31T12:00:00Z"]),
    ]
    created_at: CreatedAt
    last_used_at: Annotated[
        datetime | None, Field(description="When it was last used.", examples=[None])
    ]


@dataclass(slots=True)
class NewApiTokenResponse(ApiTokenResponse):
    """An API token that was just made."""

    token: Annotated[
        str,
        Field(
            description="The token itself. It is shown this once.",
            examples=["sym_mV1Jm7yD0cXw3bq9ZkT5uR8sLhPgNfEaYtIoC2WxQ4"],
        ),
    ] = field(repr=False)


@dataclass(slots=True)
class ApiTokenList:
    """A page of a list of API tokens."""

    items: Annotated[list[ApiTokenResponse], Field(description="The tokens of this page.")]
    next_cursor: NextCursor


@public_routes.post(
    "/auth/token",
    summary="Sign in",
    responses=documented("invalid-credentials", "too-many-attempts"),
)
async def create_access_token(
    form: Annotated[SignInForm, Form()], response: Response, app: App
) -> AccessTokenResponse:
    """Gives an access token for a user name (or e-mail address) and password."""
    token = await sign_in.sign_in(sign_in.SignIn(form.username, form.password), app)
    response.headers["Cache-Control"] = "no-store"
    return AccessTokenResponse(token, "bearer", app.access_tokens.lifetime)


@routes.post(
    "/api-tokens",
    status_code=201,
    summary="Make an API token",
    responses=documented("insufficient-scope", "user-profile-not-found"),
)
async def create_api_token(
    body: ApiTokenCreate, response: Response, actor: Actor, app: App
) -> NewApiTokenResponse:
    """Makes a token for a program. The answer shows it once; only a hash of it is kept."""
    token = new_api_token()
    made = await app.run(
        use_cases.create_api_token,
        use_cases.CreateApiToken(
            actor=actor.user_id,
            actor_scopes=actor.scopes,
            token=token,
            name=body.name,
            scopes=tuple(body.scopes),
            expires_at=body.expires_at,
        ),
    )
    response.headers["Location"] = f"{PREFIX}/api-tokens/{made.id}"
    set_etag(response, made)
    response.headers["Cache-Control"] = "no-store"
    shown = ApiTokenResponse.of(made)
    return NewApiTokenResponse(**asdict(shown), token=token)


@routes.get(
    "/api-tokens", summary="List API tokens", responses=documented("user-profile-not-found")
)
async def list_api_tokens(listing: Paged, actor: Actor, app: App) -> ApiTokenList:
    """One's own API tokens, page by page, without the tokens themselves."""
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
    responses=documented("api-token-not-found"),
)
async def revoke_api_token(api_token_id: ApiTokenId, actor: Actor, app: App) -> None:
    """Ends it at once."""
    await app.run(use_cases.revoke_api_token, use_cases.RevokeApiToken(actor.user_id, api_token_id))

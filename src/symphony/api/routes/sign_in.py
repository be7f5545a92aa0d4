"""The route to sign in."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from fastapi import Form, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from symphony.api.client_address import client_address
from symphony.api.dependencies import App
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.routing import TokenEndpointRoute, abandonable, router
from symphony.application.orchestrations import sign_in
from symphony.domain.json_objects import storable_text

public_routes = router("sign-in", TokenEndpointRoute)

Credential = Annotated[str, AfterValidator(storable_text), Field(max_length=1024)]


class GrantType(StrEnum):
    """The supported grant types of OAuth 2."""

    PASSWORD = "password"  # noqa: S105 - the name of a grant type


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

    username: Annotated[Credential, Field(description="The user name or the e-mail address.")]
    password: Annotated[
        Credential,
        Field(
            repr=False,
            description="The password.",
            json_schema_extra={"format": "password", "writeOnly": True},
        ),
    ]
    grant_type: Annotated[GrantType, Field(description="Always `password`.")] = GrantType.PASSWORD
    # Clients of OAuth 2 send these too; an access token does not depend on them.
    scope: Annotated[Credential, Field(description="Accepted and ignored.")] = ""
    client_id: Annotated[Credential, Field(description="Accepted and ignored.")] = ""
    client_secret: Annotated[Credential, Field(repr=False, description="Accepted and ignored.")] = (
        ""
    )


@dataclass(slots=True)
class AccessTokenResponse:
    """An access token (RFC 6749, section 5.1)."""

    access_token: Annotated[
        str,
        Field(
            description="Send it as `Authorization: Bearer …`.",
            examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMWExIn0.4rBfN0cS1dE"],
        ),
    ] = field(repr=False)
    token_type: Annotated[str, Field(description="Always `bearer`.", examples=["bearer"])]
    expires_in: Annotated[
        int, Field(description="The number of seconds until it expires.", examples=[3600])
    ]


@public_routes.post(
    "/auth/token",
    summary="Sign in",
    responses=problem_responses("invalid-credentials", "too-many-attempts"),
)
@abandonable
async def create_access_token(
    form: Annotated[SignInForm, Form()], request: Request, response: Response, app: App
) -> AccessTokenResponse:
    """Creates an access token for a user name (or e-mail address) and password."""
    command = sign_in.SignIn(form.username, form.password, client_address(request))
    token = await sign_in.sign_in(command, app)
    response.headers["Cache-Control"] = "no-store"
    return AccessTokenResponse(token, "bearer", app.access_tokens.lifetime)

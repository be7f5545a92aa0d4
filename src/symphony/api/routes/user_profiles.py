"""Routes of user profiles."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from symphony.api.client_address import client_address
from symphony.api.compression import compressible
from symphony.api.conditions import ExpectedTags, answer_if_modified, set_etag
from symphony.api.dependencies import Actor, App
from symphony.api.fields import (
    Email,
    JsonObject,
    Password,
    Username,
    UserProfileId,
    merge_patch,
    optional,
)
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import EntityRepresentation
from symphony.api.routing import PREFIX, PublicApiRoute, abandonable, router
from symphony.application import user_profiles as use_cases
from symphony.application.orchestrations import password_update, sign_up

TAG = "user profiles"
public_routes = router(TAG, PublicApiRoute)
routes = router(TAG)


Preferences = Annotated[
    JsonObject,
    Field(
        description="Any JSON object, for use by client programs.",
        examples=[{"theme": "dark", "language": "en"}],
    ),
]


class UserProfileCreate(BaseModel):
    """The fields of a new user profile."""

    model_config = ConfigDict(extra="forbid")

    username: Username
    email: Email
    password: Password
    preferences: Preferences = Field(default_factory=dict[str, Any])


class UserProfilePatch(BaseModel):
    """A merge patch (RFC 7396): replaces the given fields, merges objects; null removes."""

    model_config = merge_patch(email="ada@analytical.example", preferences={"theme": "light"})

    username: Username = optional()
    email: Email = optional()
    password: Password = optional()
    current_password: str = Field(
        default_factory=str,
        repr=False,
        description="The current password; required to update the password.",
        examples=["correct horse battery staple"],
        json_schema_extra={"writeOnly": True, "format": "password"},
    )
    preferences: Preferences = optional()


@dataclass(slots=True)
class UserProfileResponse(EntityRepresentation):
    """A user profile."""

    id: UserProfileId
    username: Username
    email: Email
    preferences: Preferences


@public_routes.post(
    "/user-profiles",
    status_code=201,
    summary="Create a user profile",
    responses=problem_responses("registration-closed", "username-taken", "email-taken"),
)
@compressible
@abandonable
async def create_user_profile(
    body: UserProfileCreate, request: Request, response: Response, app: App
) -> UserProfileResponse:
    """Signs up. To sign in afterwards, use `POST /api/v1/auth/token`."""
    profile = await sign_up.sign_up(
        sign_up.SignUp(
            username=body.username,
            email=body.email,
            password=body.password,
            preferences=body.preferences,
            client_address=client_address(request),
        ),
        app,
    )
    response.headers["Location"] = f"{PREFIX}/user-profiles/{profile.id}"
    set_etag(response, profile)
    return UserProfileResponse.of(profile)


@routes.get(
    "/user-profiles/me",
    summary="Get your user profile",
    responses=problem_responses("user-profile-not-found"),
)
@compressible
async def get_own_user_profile(
    request: Request, response: Response, actor: Actor, app: App
) -> UserProfileResponse:
    """Returns the user profile of the token's owner."""
    return await get_user_profile(actor.user_id, request, response, actor, app)


@routes.get(
    "/user-profiles/{user_profile_id:other_than_me}",
    summary="Get a user profile",
    responses=problem_responses("user-profile-not-found"),
)
@compressible
async def get_user_profile(
    user_profile_id: UserProfileId, request: Request, response: Response, actor: Actor, app: App
) -> UserProfileResponse:
    """Returns your user profile, by its id."""
    profile = await app.ask(
        use_cases.get_user_profile, use_cases.GetUserProfile(actor.user_id, user_profile_id)
    )
    answer_if_modified(request, response, profile.tag)
    return UserProfileResponse.of(profile)


@routes.patch(
    "/user-profiles/{user_profile_id:other_than_me}",
    summary="Update a user profile",
    responses=problem_responses(
        "user-profile-not-found",
        "username-taken",
        "email-taken",
        "too-many-attempts",
    ),
)
@compressible
@abandonable
async def update_user_profile(
    user_profile_id: UserProfileId,
    body: UserProfilePatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> UserProfileResponse:
    """Updates the given fields. A new password requires the current one in `current_password`."""
    given = body.model_dump(exclude_unset=True)
    password, current_password = given.pop("password", None), given.pop("current_password", None)
    update = use_cases.UpdateUserProfile(
        actor=actor.user_id,
        profile_id=user_profile_id,
        changes=given,  # pyright: ignore[reportArgumentType] - the schema's fields are its keys
        expected_tags=expected,
    )
    if password is None:
        profile = await app.run(use_cases.update_user_profile, update)
    else:
        profile = await password_update.update_password(
            password_update.UpdatePassword(update, password, current_password), app
        )
    set_etag(response, profile)
    return UserProfileResponse.of(profile)


@routes.delete(
    "/user-profiles/{user_profile_id:other_than_me}",
    status_code=204,
    summary="Delete a user profile",
    responses=problem_responses("user-profile-not-found", "user-has-workspaces"),
)
async def delete_user_profile(
    user_profile_id: UserProfileId, expected: ExpectedTags, actor: Actor, app: App
) -> None:
    """Deletes the user profile and its API tokens, if it has no workspaces."""
    await app.run(
        use_cases.delete_user_profile,
        use_cases.DeleteUserProfile(actor.user_id, user_profile_id, expected),
    )

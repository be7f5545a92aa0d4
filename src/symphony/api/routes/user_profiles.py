"""Routes of user profiles."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Request, Response
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

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
from symphony.api.routing import PREFIX, PublicApiRoute, abandonable, of_whole_user, router
from symphony.application import user_profiles as use_cases
from symphony.application.orchestrations.profile_deletion import DeleteProfile, delete_profile
from symphony.application.orchestrations.profile_update import UpdateProfile, update_profile
from symphony.application.orchestrations.sign_up import SignUp, sign_up
from symphony.domain.errors import RuleBroken
from symphony.domain.passwords.passwords import new_password
from symphony.domain.user_profiles import CURRENT_PASSWORD_FOR_PASSWORD, ProfileUpdate

TAG = "user profiles"
public_routes = router(TAG, PublicApiRoute)
routes = router(TAG)


_MISSING = object()
Preferences = Annotated[
    JsonObject,
    Field(
        description="Any JSON object, for use by client programs.",
        examples=[{"theme": "dark", "language": "en"}],
    ),
]


def _require_no_name(password: str, others: ValidationInfo) -> str:
    """Compare a password with the names that precede it in the schema, if these are valid."""
    return new_password(others.data.get("username"), others.data.get("email"))(password)


class UserProfileCreate(BaseModel):
    """The fields of a new user profile."""

    model_config = ConfigDict(extra="forbid")

    username: Username
    email: Email
    password: Password
    preferences: Preferences = Field(default_factory=dict[str, Any])

    _is_no_name = field_validator("password")(_require_no_name)


class UserProfilePatch(BaseModel):
    """A merge patch (RFC 7396): replaces the given fields, merges objects; null removes."""

    model_config = merge_patch(email="ada@analytical.example", preferences={"theme": "light"})

    username: Username = optional()
    email: Email = optional()
    password: Password = optional()
    current_password: str = Field(
        default_factory=str,
        repr=False,
        description="The current password; required to update the password, and to update the user"
        " name or the e-mail address without an access token from the last 5 minutes.",
        examples=["correct horse battery staple"],
        json_schema_extra={"writeOnly": True, "format": "password"},
    )
    revoke_api_tokens: bool = Field(
        default_factory=bool,
        strict=True,
        description="Whether a new password also revokes all API tokens.",
        # No examples: of this field, OpenAPI Generator cannot read them, and warns.
        json_schema_extra={"writeOnly": True, "default": False},
    )
    preferences: Preferences = optional()

    _is_no_name = field_validator("password")(_require_no_name)

    @model_validator(mode="before")
    @classmethod
    def _mark_missing(cls, patch: Any) -> Any:
        # So that the missing field is reported together with all other invalid ones.
        if not isinstance(patch, dict):
            return patch
        fields = cast("dict[str, Any]", patch)
        is_required = isinstance(fields.get("password"), str)
        return {"current_password": _MISSING} | fields if is_required else fields

    @field_validator("current_password", mode="before")
    @classmethod
    def _is_given_for_a_password(cls, given: object) -> object:
        if given is _MISSING:
            raise RuleBroken(*CURRENT_PASSWORD_FOR_PASSWORD)
        return given

    @field_validator("revoke_api_tokens")
    @classmethod
    def _is_for_a_password(cls, given: bool, others: ValidationInfo) -> bool:  # noqa: FBT001
        # Without a password it is None here; an invalid one is missing.
        if given and others.data.get("password", _MISSING) is None:
            raise RuleBroken("password-missing", "Must be false unless `password` is given.")
        return given


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
    """Signs up. To sign in afterwards, use `POST /api/v1/auth/token`.

    The operator decides whether everyone, only the first user, or nobody may sign up.
    """
    profile = await sign_up(
        SignUp(
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
@of_whole_user
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
@of_whole_user
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
@of_whole_user
async def update_user_profile(
    user_profile_id: UserProfileId,
    body: UserProfilePatch,
    expected: ExpectedTags,
    response: Response,
    actor: Actor,
    app: App,
) -> UserProfileResponse:
    """Updates the given fields. A new password requires the current one in `current_password`, and
    revokes all access tokens: sign in again. Without an access token from the last 5 minutes,
    another user name or e-mail address requires it as well.
    """
    given = body.model_dump(exclude_unset=True)
    password, current_password = given.pop("password", None), given.pop("current_password", None)
    update = use_cases.UpdateUserProfile(
        actor=actor.user_id,
        profile_id=user_profile_id,
        revoke_api_tokens=given.pop("revoke_api_tokens", False),
        update=ProfileUpdate(
            changes=given,  # pyright: ignore[reportArgumentType] - the schema's fields are its keys
            is_recent=actor.has_signed_in_recently,
            generation=actor.generation,
        ),
        expected_tags=expected,
    )
    profile = await update_profile(UpdateProfile(update, password, current_password), app)
    set_etag(response, profile)
    return UserProfileResponse.of(profile)


@routes.delete(
    "/user-profiles/{user_profile_id:other_than_me}",
    status_code=204,
    summary="Delete a user profile",
    responses=problem_responses(
        "recent-sign-in-required", "user-profile-not-found", "user-has-workspaces"
    ),
)
@of_whole_user
async def delete_user_profile(
    user_profile_id: UserProfileId, expected: ExpectedTags, actor: Actor, app: App
) -> None:
    """Deletes the user profile and its API tokens, if it has no workspaces. This requires an access
    token from the last 5 minutes.
    """
    await delete_profile(DeleteProfile(actor, user_profile_id, expected), app)

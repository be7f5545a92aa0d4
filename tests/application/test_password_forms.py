"""A password is the same from every keyboard, also one that was set before this was so."""

from uuid import UUID

import pytest

from symphony.application.app import Application
from symphony.application.orchestrations.profile_update import UpdateProfile, update_profile
from symphony.application.orchestrations.sign_in import SignIn, sign_in
from symphony.application.orchestrations.sign_up import SignUp, create_user
from symphony.application.ports import Requester
from symphony.application.user_profiles import (
    CreateUserProfile,
    GetUserProfile,
    ReplacePasswordHash,
    UpdateUserProfile,
    create_user_profile,
    get_user_profile,
    replace_password_hash,
    update_user_profile,
)
from symphony.domain.errors import InvalidCredentials
from symphony.domain.user_profiles import PasswordChange, ProfileUpdate, UserProfile
from tests.application.conftest import ADDRESS, PASSWORD
from tests.support.hashing import REQUESTER

COMPOSED = "gr\u00fcne \u00c4pfel"
DECOMPOSED = "gru\u0308ne\u00a0A\u0308pfel"


async def profile_of(app: Application, user_id: UUID) -> UserProfile:
    return await app.ask(get_user_profile, GetUserProfile(user_id, user_id))


async def user_from_before(app: Application, password: str) -> UUID:
    """A user whose password was hashed as it was typed."""
    command = CreateUserProfile(
        "bob", "bob@example.org", await app.passwords.hash(password, REQUESTER)
    )
    return (await app.run(create_user_profile, command)).id


@pytest.mark.parametrize(
    ("first", "second"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)], ids=["NFC", "NFD"]
)
async def test_a_password_is_accepted_from_another_keyboard(
    app: Application, first: str, second: str
) -> None:
    user = (await create_user(SignUp("bob", "bob@example.org", first), app)).id
    await sign_in(SignIn("bob", second, ADDRESS), app)
    await sign_in(SignIn("bob", first, ADDRESS), app)
    update = UpdateUserProfile(user, user, ProfileUpdate({}))
    await update_profile(UpdateProfile(update, second + first, second), app)
    await sign_in(SignIn("bob", first + second, ADDRESS), app)


async def test_a_password_from_before_is_normalized_when_its_user_signs_in(
    app: Application,
) -> None:
    user = await user_from_before(app, DECOMPOSED)
    before = await profile_of(app, user)
    with pytest.raises(InvalidCredentials):
        await sign_in(SignIn("bob", COMPOSED, ADDRESS), app)
    await sign_in(SignIn("bob", DECOMPOSED, ADDRESS), app)
    await sign_in(SignIn("bob", COMPOSED, ADDRESS), app)
    after = await profile_of(app, user)
    assert after.password_hash != before.password_hash
    assert (after.version, after.updated_at) == (before.version, before.updated_at)


async def test_a_password_from_before_is_accepted_as_the_current_one(app: Application) -> None:
    user = await user_from_before(app, DECOMPOSED)
    update = UpdateUserProfile(user, user, ProfileUpdate({}))
    await update_profile(UpdateProfile(update, PASSWORD, DECOMPOSED), app)
    await sign_in(SignIn("bob", PASSWORD, ADDRESS), app)


async def test_normalizing_does_not_undo_an_update_of_the_password(app: Application) -> None:
    user = await user_from_before(app, DECOMPOSED)
    old_hash = (await profile_of(app, user)).password_hash
    new_hash = await app.passwords.hash(PASSWORD, REQUESTER)
    update = UpdateUserProfile(user, user, ProfileUpdate({}, new_hash, old_hash))
    await app.run(update_user_profile, update)
    change = PasswordChange(old_hash, await app.passwords.hash(COMPOSED, REQUESTER))
    await app.run(replace_password_hash, ReplacePasswordHash(user, change))
    assert (await profile_of(app, user)).password_hash == new_hash


async def test_an_unknown_user_costs_as_many_hashes_as_a_wrong_password(
    app: Application, ada: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await profile_of(app, ada)
    verify, hashes = type(app.passwords).verify, list[str]()

    async def counted(
        self: object, password: str, password_hash: str | None, requester: Requester
    ) -> bool:
        hashes.append(password)
        return await verify(self, password, password_hash, requester)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(type(app.passwords), "verify", counted)
    for login in ("ada", "nobody"):
        with pytest.raises(InvalidCredentials):
            await sign_in(SignIn(login, DECOMPOSED, ADDRESS), app)
    assert hashes == [COMPOSED, DECOMPOSED] * 2

"""Domain models: user profile, workspace, repo and vault, and the rules of each."""

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from typing import Any

from scripts.demos.support.stage import Stage, perform
from symphony.domain.base import Entity, new_id
from symphony.domain.errors import Invalid, Locked, PreconditionFailed
from symphony.domain.fields import comparison_key
from symphony.domain.repos import Repo
from symphony.domain.user_profiles import UserProfile
from symphony.domain.vaults.vaults import Vault
from symphony.domain.workspaces import Workspace, WorkspaceType

ADA = UserProfile(username="ada", email="ada@example.org", password_hash="(a hash)")
THESIS = Workspace(
    user_profile_id=ADA.id,
    name="  Thesis ",
    workspace_type=WorkspaceType.RESEARCH,
    settings={"theme": {"dark": True, "accent": "blue"}, "tabs": 4},
)
ENGINE = Repo(
    workspace_id=THESIS.id,
    name="engine",
    path="~/dev/engine",
    remote_url="git@example.org:ada/engine.git",
)
KEYS = Vault(workspace_id=THESIS.id, name="keys", path="/vaults/keys")


def story(stage: Stage) -> None:
    nouns(stage)
    construction(stage)
    single_values(stage)
    changes(stage)
    merge_patches(stage)
    tags(stage)
    names(stage)


def nouns(stage: Stage) -> None:
    stage.step("Four nouns, each with an id, a version and times in UTC")
    entities: tuple[Entity, ...] = (ADA, THESIS, ENGINE, KEYS)
    stage.table(
        "noun",
        "id",
        "version",
        "created at",
        rows=[
            (each.noun, each.id, each.version, f"{each.created_at:%H:%M:%S}Z") for each in entities
        ],
    )
    stage.why("ids that sort by time keep indexes compact; versions make updates safe.")
    ids = [each.id for each in entities]
    stage.expect("ids are UUIDs of version 7", {each.version for each in ids} == {7})
    stage.expect("ids sort by the time of creation", ids == sorted(ids))
    stage.expect("a new entity has version 1", all(each.version == 1 for each in entities))
    stage.expect("times are in UTC", all(each.created_at.tzinfo is UTC for each in entities))
    stage.expect("spaces around a name are trimmed", THESIS.name == "Thesis")
    stage.expect("the password hash is not in the repr", "hash" not in repr(ADA))


def construction(stage: Stage) -> None:
    stage.step("An invalid entity cannot be created, and every error is reported at once")
    errors = validation_errors(
        lambda: Repo(
            workspace_id=THESIS.id,
            name="../etc",
            path="somewhere",
            remote_url="https://ada:hunter2@example.org/engine.git",
            metadata={"pi": float("nan")},
            last_synced=datetime(2027, 1, 31),  # noqa: DTZ001 - naive, and so refused
        )
    )
    stage.table(
        "field", "code", "what is allowed", rows=[(name, *each) for name, each in errors.items()]
    )
    stage.why("code after the constructor never meets an invalid entity.")
    expected = {
        "name": "not-a-folder-name",
        "path": "not-absolute",
        "remote_url": "password-in-url",
        "metadata": "number-overflow",
        "last_synced": "not-utc",
    }
    stage.expect(
        "each of the five invalid fields has an error",
        {name: code for name, (code, _) in errors.items()} == expected,
    )
    stage.expect("no error repeats what was given", "hunter2" not in str(errors))


def single_values(stage: Stage) -> None:
    stage.step("A single value can be validated before")
    values: list[tuple[type[Entity], str, object, bool]] = [
        (UserProfile, "username", "ada_lovelace", True),
        (UserProfile, "username", "1ada", False),
        (UserProfile, "email", "Ada <ada@example.org>", False),
        (Workspace, "workspace_type", "client", True),
        (Workspace, "workspace_type", "secret", False),
        (Repo, "remote_url", "ext::sh -c reboot", False),
        (Vault, "name", "Ideas, 2027", True),
        (Vault, "name", "a/b", False),
        (Vault, "path", "~/vaults", True),
    ]
    answers = [entity.is_valid(**{name: value}) for entity, name, value, _ in values]
    stage.table(
        "noun",
        "field",
        "value",
        "is_valid",
        rows=[
            (entity.noun, name, value, answer)
            for (entity, name, value, _), answer in zip(values, answers, strict=True)
        ],
    )
    stage.expect("every answer is as expected", answers == [expected for *_, expected in values])


def changes(stage: Stage) -> None:
    stage.step("An update creates the next version, under the same rules")
    renamed = THESIS.updated({"name": "Dissertation", "description": "Notes and proofs."})
    stage.expect(
        "the name is new, the id is the same",
        (renamed.name, renamed.id) == ("Dissertation", THESIS.id),
    )
    stage.expect("the version is 2", renamed.version == 2)
    stage.expect("updated_at is not before created_at", renamed.updated_at >= renamed.created_at)
    stage.expect(
        "the earlier version is unchanged", THESIS.name == "Thesis" and THESIS.version == 1
    )
    stage.expect(
        "an update without a difference returns the same object",
        THESIS.updated({"name": "Thesis"}) is THESIS,
    )
    with stage.expect_refusal("an update to an invalid value", Invalid, "name"):
        THESIS.updated({"name": "\n"})
    with stage.expect_refusal("an assignment to an attribute", FrozenInstanceError):
        THESIS.name = "\n"  # pyright: ignore[reportAttributeAccessIssue] - the refusal is the point
    with stage.expect_refusal("an update of a locked vault", Locked, "vault-locked"):
        KEYS.updated({"is_locked": True}).require_unlocked()


def merge_patches(stage: Stage) -> None:
    stage.step("JSON objects are updated by merge patches (RFC 7396)")
    patch = {"theme": {"accent": None, "font": "serif"}, "tabs": 2}
    after = THESIS.updated({"settings": patch}).settings
    stage.table(
        "", "settings", rows=[("before", THESIS.settings), ("patch", patch), ("after", after)]
    )
    stage.why("two clients can change two members without overwriting each other.")
    stage.expect(
        "null removes a member, objects are merged, other values replace",
        after == {"theme": {"dark": True, "font": "serif"}, "tabs": 2},
    )
    stage.expect(
        "4 and 4.0 are different JSON values",
        THESIS.updated({"settings": {"tabs": 4.0}}).version == 2,
    )


def tags(stage: Stage) -> None:
    stage.step("A tag identifies one state, against overwriting a state that was never seen")
    seen = frozenset({THESIS.tag})
    newer = THESIS.updated({"description": "Another editor was quicker."})
    THESIS.require(seen)
    stage.expect("the state that was read is the current one", THESIS.tag in seen, THESIS.tag)
    stage.expect("a newer state has another tag", newer.tag not in seen, newer.tag)
    with stage.expect_refusal("an update of a state that is no longer current", PreconditionFailed):
        newer.require(seen)


def names(stage: Stage) -> None:
    stage.step("Names are compared without case and Unicode form")
    pairs = [
        ("Straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("ﬁle", "File"),
        ("Thesis", "\uff34hesis"),
    ]
    stage.table(
        "name",
        "the same name",
        "compared as",
        rows=[(*pair, comparison_key(pair[0])) for pair in pairs],
    )
    stage.why("a folder on a Mac and one on Linux do not get two repos of the same name.")
    stage.expect(
        "both names of a pair are the same",
        all(comparison_key(a) == comparison_key(b) for a, b in pairs),
    )
    stage.expect(
        "vaults compare names this way",
        Vault(workspace_id=new_id(), name="KEYS", path="/").name_key == KEYS.name_key,
    )


def validation_errors(create: Callable[[], Any]) -> Mapping[str, tuple[str, str]]:
    """The code and text of each validation error, by field."""
    try:
        create()
    except Invalid as invalid:
        return {each.field: (each.code, each.detail) for each in invalid.errors}
    return {}


if __name__ == "__main__":
    perform(story)

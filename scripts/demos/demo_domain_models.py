"""The four nouns: user profile, workspace, repo and vault, and the rules they keep."""

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
    stage.step("Four nouns, each with an identity, a version and times in UTC")
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
    ids = [each.id for each in entities]
    stage.expect("ids are UUIDs of version 7", {each.version for each in ids} == {7})
    stage.expect("which sort by the time they were made", ids == sorted(ids))
    stage.expect("everything begins at version 1", all(each.version == 1 for each in entities))
    stage.expect("times are in UTC", all(each.created_at.tzinfo is UTC for each in entities))
    stage.expect("spaces around names are trimmed", THESIS.name == "Thesis")
    stage.expect("a password's hash does not show", "hash" not in repr(ADA))


def construction(stage: Stage) -> None:
    stage.step("Nothing invalid can be made, and all that is wrong is said at once")
    wrong = broken_rules(
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
        "field", "code", "what is allowed", rows=[(name, *each) for name, each in wrong.items()]
    )
    expected = {
        "name": "not-a-folder-name",
        "path": "not-absolute",
        "remote_url": "password-in-url",
        "metadata": "number-overflow",
        "last_synced": "not-utc",
    }
    stage.expect(
        "five fields, five broken rules",
        {name: code for name, (code, _) in wrong.items()} == expected,
    )
    stage.expect("what was sent is not told back", "hunter2" not in str(wrong))


def single_values(stage: Stage) -> None:
    stage.step("Single values can be asked about beforehand")
    asked: list[tuple[type[Entity], str, object, bool]] = [
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
    answers = [entity.is_valid(**{name: value}) for entity, name, value, _ in asked]
    stage.table(
        "noun",
        "field",
        "value",
        "is_valid",
        rows=[
            (entity.noun, name, value, answer)
            for (entity, name, value, _), answer in zip(asked, answers, strict=True)
        ],
    )
    stage.expect("all answers are right", answers == [expected for *_, expected in asked])


def changes(stage: Stage) -> None:
    stage.step("A change makes the next version, through the same rules")
    renamed = THESIS.updated({"name": "Dissertation", "description": "Notes and proofs."})
    stage.expect(
        "another name, the same id", (renamed.name, renamed.id) == ("Dissertation", THESIS.id)
    )
    stage.expect("version 2", renamed.version == 2)
    stage.expect("changed later than made", renamed.updated_at >= renamed.created_at)
    stage.expect("the state before is as it was", THESIS.name == "Thesis" and THESIS.version == 1)
    stage.expect(
        "a change that changes nothing makes nothing", THESIS.updated({"name": "Thesis"}) is THESIS
    )
    with stage.expect_refusal("a change to something invalid", Invalid, "name"):
        THESIS.updated({"name": "\n"})
    with stage.expect_refusal("a change behind its back", FrozenInstanceError):
        THESIS.name = "\n"  # pyright: ignore[reportAttributeAccessIssue] - the refusal is the point
    with stage.expect_refusal("a change of a locked vault", Locked, "vault-locked"):
        KEYS.updated({"is_locked": True}).require_unlocked()


def merge_patches(stage: Stage) -> None:
    stage.step("Objects are changed by merge patches (RFC 7396)")
    patch = {"theme": {"accent": None, "font": "serif"}, "tabs": 2}
    after = THESIS.updated({"settings": patch}).settings
    stage.table(
        "", "settings", rows=[("before", THESIS.settings), ("patch", patch), ("after", after)]
    )
    stage.expect(
        "null removes, objects merge, the rest replaces",
        after == {"theme": {"dark": True, "font": "serif"}, "tabs": 2},
    )
    stage.expect(
        "to JSON, 4 and 4.0 are two things",
        THESIS.updated({"settings": {"tabs": 4.0}}).version == 2,
    )


def tags(stage: Stage) -> None:
    stage.step("A tag names one state, so that nobody overwrites what they have not seen")
    seen = frozenset({THESIS.tag})
    newer = THESIS.updated({"description": "Somebody was quicker."})
    THESIS.require(seen)
    stage.expect("the state I have seen is the present one", THESIS.tag in seen, THESIS.tag)
    stage.expect("another state has another tag", newer.tag not in seen, newer.tag)
    with stage.expect_refusal("a change of what has changed since", PreconditionFailed):
        newer.require(seen)


def names(stage: Stage) -> None:
    stage.step("Names are the same whatever their case or Unicode form")
    pairs = [
        ("Straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("ﬁle", "File"),
        ("Thesis", "\uff34hesis"),
    ]
    stage.table(
        "one", "other", "compared as", rows=[(*pair, comparison_key(pair[0])) for pair in pairs]
    )
    stage.expect(
        "each pair is one name", all(comparison_key(a) == comparison_key(b) for a, b in pairs)
    )
    stage.expect(
        "vaults know", Vault(workspace_id=new_id(), name="KEYS", path="/").name_key == KEYS.name_key
    )


def broken_rules(make: Callable[[], Any]) -> Mapping[str, tuple[str, str]]:
    """The code and words of each rule that making it breaks, by field."""
    try:
        make()
    except Invalid as invalid:
        return {each.field: (each.code, each.detail) for each in invalid.errors}
    return {}


if __name__ == "__main__":
    perform(story)

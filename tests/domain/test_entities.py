"""Entities: valid after creation and every update, and a new state for every update."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from symphony.domain.api_tokens import Scope
from symphony.domain.base import Entity, new_id, utc_now
from symphony.domain.errors import Invalid, Locked, PreconditionFailed
from symphony.domain.reach import Reach
from symphony.domain.repos import Repo
from symphony.domain.workspaces import Workspace, WorkspaceType
from tests.domain.examples import a_machine, a_profile, a_repo, a_token, a_vault, a_workspace

PARENT = new_id()
MAKERS: list[Callable[..., Entity]] = [
    a_profile,
    a_workspace,
    a_repo,
    a_vault,
    a_machine,
    a_token,
]
NOW = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)

INVALID: list[tuple[Callable[..., Entity], str, object]] = [
    (a_profile, "username", "1ada"),
    (a_profile, "email", "ada"),
    (a_profile, "preferences", None),
    (a_profile, "preferences", {"a": float("nan")}),
    (a_workspace, "name", " "),
    (a_workspace, "name", "a\nb"),
    (a_workspace, "description", "a" * 10_001),
    (a_workspace, "workspace_type", "secret"),
    (a_workspace, "workspace_type", None),
    (a_workspace, "settings", []),
    (a_repo, "name", "a/b"),
    (a_repo, "path", "relative"),
    (a_repo, "remote_url", "ext::sh"),
    (a_repo, "metadata", {"\0": 1}),
    (a_repo, "last_synced", datetime(2026, 1, 1)),  # noqa: DTZ001 - naive on purpose
    (a_repo, "last_synced", ""),
    (a_repo, "last_synced", 0),
    (a_vault, "name", ".."),
    (a_vault, "path", ""),
    (a_vault, "metadata", "{}"),
    (a_vault, "is_locked", "no"),
    (a_vault, "is_locked", None),
    (a_machine, "name", " "),
    (a_machine, "last_report_at", "yesterday"),
    (a_machine, "checkout_count", -1),
    (a_machine, "checkout_count", True),
    (a_machine, "checkout_count", None),
    (a_token, "name", ""),
    (a_token, "scopes", ()),
    (a_token, "scopes", "read"),
    (a_token, "scopes", ("read", "admin")),
    (a_token, "scopes", ("secrets",)),
    (a_token, "scopes", ("report", "read")),
    (a_token, "workspace_ids", "all"),
    (a_token, "workspace_ids", ("not an id",)),
    (a_token, "machine_id", "laptop"),
    (a_token, "expires_at", "tomorrow"),
    (a_token, "expires_at", ""),
    *(
        (maker, field, value)
        for maker in MAKERS
        for field, value in (
            ("version", 0),
            ("created_at", datetime(2026, 1, 1)),  # noqa: DTZ001 - naive on purpose
            ("created_at", datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))),
            ("updated_at", None),
            ("id", "not an id"),
        )
    ),
]


@pytest.mark.parametrize("make", MAKERS)
def test_a_new_entity_has_version_1_and_was_updated_when_it_was_created(
    make: Callable[..., Entity],
) -> None:
    before = utc_now()
    entity = make()
    assert entity.version == 1
    assert before <= entity.created_at <= utc_now()
    assert entity.updated_at == entity.created_at
    assert entity.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("make", MAKERS)
def test_ids_are_uuids_of_version_7_that_sort_by_time(make: Callable[..., Entity]) -> None:
    ids = [make().id for _ in range(50)]
    assert {(type(each), each.version) for each in ids} == {(UUID, 7)}
    assert len(set(ids)) == 50
    assert ids == sorted(ids)


@pytest.mark.parametrize(("make", "field", "value"), INVALID)
def test_no_invalid_entity_can_be_created(
    make: Callable[..., Entity], field: str, value: object
) -> None:
    with pytest.raises(Invalid) as refused:
        make(**{field: value})
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("make", "field", "value"),
    [each for each in INVALID if each[1] not in {"id", "version", "updated_at"}],
)
def test_no_entity_can_be_updated_to_an_invalid_one(
    make: Callable[..., Entity], field: str, value: object
) -> None:
    entity = make()
    with pytest.raises(Invalid) as refused:
        entity.updated({field: value})
    assert [error.field for error in refused.value.errors] == [field]
    assert entity.version == 1


@pytest.mark.parametrize(("make", "field", "value"), INVALID)
def test_values_can_be_validated_without_an_entity(
    make: Callable[..., Entity], field: str, value: object
) -> None:
    entity = type(make())
    assert entity.is_valid(**{field: value}) is False


@pytest.mark.parametrize("make", MAKERS)
def test_each_value_of_an_entity_is_valid_by_itself(make: Callable[..., Entity]) -> None:
    entity = make()
    values = {field.name: getattr(entity, field.name) for field in fields(entity)}
    assert type(entity).is_valid(**values) is True
    assert all(type(entity).is_valid(**{name: value}) for name, value in values.items())


def test_all_invalid_fields_are_reported_together() -> None:
    with pytest.raises(Invalid) as refused:
        Repo(workspace_id=PARENT, name="a/b", path="x", remote_url="-", metadata={"\0": 1})
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("name", "not-a-folder-name"),
        ("path", "not-absolute"),
        ("remote_url", "not-a-remote"),
        ("metadata", "nul-character"),
    ]
    assert refused.value.slug == "validation-error"


@pytest.mark.parametrize("make", MAKERS)
def test_entities_are_frozen(make: Callable[..., Entity]) -> None:
    entity = make()
    for field in fields(entity):
        with pytest.raises(FrozenInstanceError):
            setattr(entity, field.name, getattr(entity, field.name))


def test_names_are_trimmed_on_creation_and_on_update() -> None:
    workspace = a_workspace(name="  Thesis ")
    assert workspace.name == "Thesis"
    assert workspace.updated({"name": " Notes\u3000"}).name == "Notes"


def test_an_update_returns_the_next_version_and_leaves_the_current_one_unchanged() -> None:
    workspace = a_workspace()
    changed = workspace.updated({"name": "Notes", "workspace_type": "research"})
    assert (workspace.name, workspace.version) == ("Thesis", 1)
    assert (changed.name, changed.version) == ("Notes", 2)
    assert changed.workspace_type is WorkspaceType.RESEARCH
    assert (changed.id, changed.created_at) == (workspace.id, workspace.created_at)
    assert changed.updated_at >= workspace.updated_at


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "Thesis"},
        {"name": "  Thesis "},
        {"workspace_type": "general"},
        {"description": None},
        {"settings": {}},
        {"settings": {"a": {"b": 1}}},
        {"settings": {"gone": None}},
    ],
)
def test_an_update_without_a_difference_returns_the_same_entity(changes: dict[str, Any]) -> None:
    workspace = a_workspace(settings={"a": {"b": 1}})
    assert workspace.updated(changes) is workspace


@pytest.mark.parametrize("value", [1.0, True])
def test_values_that_are_equal_only_to_python_are_a_difference(value: object) -> None:
    workspace = a_workspace(settings={"a": 1})
    changed = workspace.updated({"settings": {"a": value}})
    assert changed.version == 2
    assert type(changed.settings["a"]) is type(value)


def test_a_name_with_another_case_is_a_difference() -> None:
    assert a_workspace(name="Thesis").updated({"name": "THESIS"}).version == 2


def test_objects_merge_and_other_values_are_replaced() -> None:
    repo = a_repo(metadata={"a": {"b": 1, "c": 2}, "d": 3}, remote_url="https://example.org/x")
    changed = repo.updated({"metadata": {"a": {"c": None, "e": 4}}, "remote_url": None})
    assert changed.metadata == {"a": {"b": 1, "e": 4}, "d": 3}
    assert changed.remote_url is None


def test_a_merge_that_makes_an_object_too_large_is_refused() -> None:
    workspace = a_workspace(settings={"a": "x" * 40_000})
    with pytest.raises(Invalid):
        workspace.updated({"settings": {"b": "x" * 40_000}})
    assert workspace.updated({"settings": {"a": None, "b": "x" * 40_000}}).version == 2


@pytest.mark.parametrize("field", ["name", "description", "workspace_type"])
def test_an_object_is_refused_in_fields_of_other_types(field: str) -> None:
    with pytest.raises(Invalid):
        a_workspace(description="d").updated({field: {"a": 1}})


def test_a_patch_that_is_far_too_deep_is_refused() -> None:
    patch: dict[str, Any] = {}
    for _ in range(5_000):
        patch = {"a": patch}
    with pytest.raises(Invalid):
        a_workspace().updated({"settings": patch})


def test_times_never_run_backwards() -> None:
    future = utc_now() + timedelta(days=1)
    workspace = a_workspace(created_at=future)
    assert workspace.updated_at == future
    assert workspace.updated({"name": "Notes"}).updated_at >= future
    assert a_workspace(created_at=future, updated_at=NOW).updated_at == future


def test_a_tag_identifies_one_state_of_one_entity() -> None:
    workspace, other = a_workspace(), a_workspace()
    changed = workspace.updated({"name": "Notes"})
    assert len({workspace.tag, other.tag, changed.tag}) == 3
    assert workspace.updated({}).tag == workspace.tag


def test_an_expected_tag_must_be_the_current_one() -> None:
    workspace = a_workspace()
    changed = workspace.updated({"name": "Notes"})
    changed.require(None)
    changed.require(frozenset({workspace.tag, changed.tag}))
    for stale in (frozenset[str](), frozenset({workspace.tag})):
        with pytest.raises(PreconditionFailed) as refused:
            changed.require(stale)
        assert refused.value.current_version == 2


def test_stored_values_are_restored_even_if_rules_are_stricter_now() -> None:
    stored: dict[str, Any] = {
        "id": PARENT,
        "version": 7,
        "created_at": NOW,
        "updated_at": NOW,
        "name": "  once/allowed\n",
        "user_profile_id": PARENT,
        "description": None,
        "workspace_type": WorkspaceType.CLIENT,
        "settings": {},
    }
    restored = Workspace.restored(stored.values())
    assert {field.name: getattr(restored, field.name) for field in fields(restored)} == stored
    with pytest.raises(Invalid):
        restored.updated({"description": "new"})
    assert restored.updated({"name": "allowed"}).version == 8


def test_hashes_of_secrets_are_not_printed() -> None:
    assert "secret-hash" not in repr(a_profile(password_hash="secret-hash"))
    assert "secret-hash" not in repr(a_token(token_hash=b"secret-hash"))


def test_scopes_are_stored_once_each_in_a_fixed_order() -> None:
    token = a_token(scopes=["write", "read", "write"])
    assert token.scopes == (Scope.READ, Scope.WRITE)
    assert a_token(scopes=["secrets", "read"]).scopes == (Scope.READ, Scope.SECRETS)


def test_the_workspaces_of_a_token_are_stored_once_each_in_the_order_of_their_ids() -> None:
    one, two = new_id(), new_id()
    token = a_token(workspace_ids=[two, one, two])
    assert token.workspace_ids == (one, two)
    assert token.reach == Reach(token.user_profile_id, token.id)
    assert a_token(workspace_ids=[]).is_confined
    unconfined = a_token()
    assert not unconfined.is_confined
    assert unconfined.reach == Reach(unconfined.user_profile_id)


@pytest.mark.parametrize(
    ("lifetime", "expired"),
    [(None, False), (timedelta(hours=1), False), (timedelta(0), True), (timedelta(-1), True)],
)
def test_a_token_expires_at_its_time(lifetime: timedelta | None, *, expired: bool) -> None:
    token = a_token(expires_at=None if lifetime is None else utc_now() + lifetime)
    assert token.is_expired is expired


def test_a_locked_vault_says_so() -> None:
    a_vault().require_unlocked()
    with pytest.raises(Locked) as refused:
        a_vault(is_locked=True).require_unlocked()
    assert refused.value.slug == "vault-locked"

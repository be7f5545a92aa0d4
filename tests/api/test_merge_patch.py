"""PATCH is a merge patch (RFC 7396) for every noun."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api import User, faults

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True)
class Subject:
    """A resource to patch: its path, its field with a JSON object, and its representation."""

    path: str
    field: str
    entity: dict[str, Any]


@pytest.fixture
async def subjects(ada: User) -> list[Subject]:
    """One resource of each noun, with the same JSON object."""
    held: dict[str, Any] = {"keep": 1, "drop": 2, "inner": {"keep": [1], "drop": {"a": 0}}}
    workspace = await ada.workspace(description="old", settings=held)
    repo = await ada.repo(workspace["id"], metadata=held, remote_url="https://example.org/e")
    vault = await ada.vault(workspace["id"], metadata=held)
    profile = (await ada.patch(f"/user-profiles/{ada.id}", {"preferences": held})).json()
    return [
        Subject(f"/user-profiles/{ada.id}", "preferences", profile),
        Subject(f"/workspaces/{workspace['id']}", "settings", workspace),
        Subject(f"/repos/{repo['id']}", "metadata", repo),
        Subject(f"/vaults/{vault['id']}", "metadata", vault),
    ]


async def test_objects_merge_and_null_removes(ada: User, subjects: list[Subject]) -> None:
    patch = {"drop": None, "never": None, "new": {"a": None, "b": 1}, "inner": {"drop": None}}
    merged = {"keep": 1, "inner": {"keep": [1]}, "new": {"b": 1}}
    for subject in subjects:
        answer = await ada.patch(subject.path, {subject.field: patch})
        assert answer.status_code == 200
        assert answer.json()[subject.field] == merged
        assert answer.json() == (await ada.get(subject.path)).json()


async def test_lists_and_plain_values_are_replaced_whole(
    ada: User, subjects: list[Subject]
) -> None:
    patch = {"inner": {"keep": [2]}, "keep": {"was": "a number"}, "drop": [None]}
    for subject in subjects:
        answer = await ada.patch(subject.path, {subject.field: patch})
        assert answer.json()[subject.field] == {
            "keep": {"was": "a number"},
            "drop": [None],
            "inner": {"keep": [2], "drop": {"a": 0}},
        }


async def test_both_media_types_are_merge_patches(ada: User, subjects: list[Subject]) -> None:
    for subject in subjects:
        content = json.dumps({subject.field: {"drop": None}})
        answer = await ada.request("PATCH", subject.path, content=content, headers=MERGE_PATCH)
        assert answer.status_code == 200
        assert "drop" not in answer.json()[subject.field]
        again = await ada.patch(subject.path, {subject.field: {"drop": None, "inner": None}})
        assert again.json()[subject.field] == {"keep": 1}


async def test_a_patch_that_changes_nothing_changes_no_version(
    ada: User, subjects: list[Subject]
) -> None:
    for subject in subjects:
        before = await ada.get(subject.path)
        same = {
            name: value
            for name, value in subject.entity.items()
            if name in {"username", "email", "name", "description", "path", "remote_url"}
        }
        patches: list[dict[str, Any]] = [
            {},
            same,
            {subject.field: {}},
            {subject.field: {"keep": 1, "absent": None}},
        ]
        for patch in patches:
            answer = await ada.patch(subject.path, patch)
            assert answer.status_code == 200
            assert answer.json() == before.json()
            assert answer.headers["etag"] == before.headers["etag"]


async def test_1_and_1_point_0_and_true_are_different_values(
    ada: User, subjects: list[Subject]
) -> None:
    for subject in subjects:
        for number, value in enumerate((1.0, True, 1), start=1):
            answer = await ada.patch(subject.path, {subject.field: {"keep": value}})
            assert answer.json()["version"] == subject.entity["version"] + number
            kept = answer.json()[subject.field]["keep"]
            assert (kept, type(kept)) == (value, type(value))


async def test_null_clears_an_optional_field(ada: User, subjects: list[Subject]) -> None:
    _, workspace, repo, _ = subjects
    for subject, field in ((workspace, "description"), (repo, "remote_url")):
        assert subject.entity[field] is not None
        answer = await ada.patch(subject.path, {field: None})
        assert answer.status_code == 200
        assert answer.json()[field] is None
        assert answer.json()["version"] == subject.entity["version"] + 1


async def test_null_for_a_required_field_is_refused(ada: User, subjects: list[Subject]) -> None:
    needed = (
        ("username", "email", "password", "current_password", "preferences"),
        ("name", "workspace_type", "settings"),
        ("name", "path", "metadata"),
        ("name", "path", "metadata"),
    )
    for subject, fields in zip(subjects, needed, strict=True):
        for field in fields:
            answer = await ada.patch(subject.path, {field: None})
            assert [pointer for pointer, _ in faults(answer)] == [f"/{field}"]
        assert (await ada.get(subject.path)).json() == subject.entity


async def test_a_field_that_only_the_server_sets_is_an_unknown_field(
    ada: User, subjects: list[Subject]
) -> None:
    common = ("id", "version", "created_at", "updated_at", "colour")
    own = (
        ("password_hash",),
        ("user_profile_id",),
        ("last_synced",),
        ("is_locked",),
    )
    for subject, fields in zip(subjects, own, strict=True):
        for field in common + fields:
            answer = await ada.patch(subject.path, {field: subject.entity.get(field)})
            assert faults(answer) == [(f"/{field}", "unknown-field")]


async def test_a_refused_patch_changes_nothing_at_all(ada: User, subjects: list[Subject]) -> None:
    for subject in subjects:
        answer = await ada.patch(subject.path, {subject.field: {"keep": None}, "colour": "blue"})
        assert faults(answer) == [("/colour", "unknown-field")]
        assert (await ada.get(subject.path)).json() == subject.entity


async def test_a_merge_that_results_in_a_too_large_or_deep_object_is_refused(
    ada: User, subjects: list[Subject]
) -> None:
    deep: dict[str, Any] = {}
    for _ in range(31):
        deep = {"d": deep}
    for subject in subjects:
        half = "x" * 40_000
        await ada.patch(subject.path, {subject.field: {"one": half, "d": None}})
        before = (await ada.get(subject.path)).json()
        too_large = await ada.patch(subject.path, {subject.field: {"other": half}})
        assert faults(too_large) == [(f"/{subject.field}", "too-large")]
        too_deep = await ada.patch(subject.path, {subject.field: {"d": {"d": deep}}})
        assert faults(too_deep) == [(f"/{subject.field}", "too-deep")]
        assert (await ada.get(subject.path)).json() == before

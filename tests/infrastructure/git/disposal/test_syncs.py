"""A disposal is not safe while remote-tracking branches differ from what the last sync saw."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.base import utc_now
from symphony.domain.git.disposal import Disposal, EvidenceKind, Verdict
from symphony.domain.git.work import RemoteHeads
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.disposal.test_disposal import ahead, found
from tests.support.repositories import USER

OTHER = "1" * 40
OUTDATED = EvidenceKind.OUTDATED_REMOTE


def seen(origin: Repository, *, url: str | None = None, at: datetime | None = None) -> RemoteHeads:
    """Return what a sync would see now; without `at` it is later than all branches."""
    listed = origin.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
    return RemoteHeads(
        remote_url=url or origin.path.as_uri(),
        branches=dict(line.split(" ") for line in listed.splitlines()),
        default_branch="main",
        synced_at=at or utc_now() + timedelta(seconds=1),
    )


async def disposal_after(clone: Repository, synced: RemoteHeads, git: LocalGit) -> Disposal:
    return await git.disposal(USER, str(clone.path), synced)


async def test_a_sync_that_saw_the_same_is_safe(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    origin.git("branch", "new")
    assert (await disposal_after(clone, seen(origin), git)).evidence == []


@pytest.mark.parametrize("is_packed", [False, True])
async def test_a_branch_that_was_moved_at_the_remote_is_not_safe(
    is_packed: bool,  # noqa: FBT001 - a parameter of the test
    clone: Repository,
    origin: Repository,
    git: LocalGit,
) -> None:
    if is_packed:
        clone.git("pack-refs", "--all")
    origin.commit("later")
    disposal = await disposal_after(clone, seen(origin), git)
    assert (disposal.verdict, found(disposal)) == (Verdict.UNKNOWN, [(OUTDATED, 1)])
    assert "origin/main" in disposal.evidence[0].detail
    clone.git("pull", "--quiet")
    assert (await disposal_after(clone, seen(origin), git)).evidence == []


async def test_a_branch_that_was_deleted_at_the_remote_is_not_safe(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    ahead(clone)
    clone.git("push", "--quiet", "origin", "idea")
    assert (await disposal_after(clone, seen(origin), git)).verdict == Verdict.SAFE
    origin.git("branch", "-D", "idea")
    disposal = await disposal_after(clone, seen(origin), git)
    assert (disposal.verdict, found(disposal)) == (Verdict.UNKNOWN, [(OUTDATED, 1)])


async def test_a_branch_that_was_merged_and_deleted_is_safe(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    ahead(clone)
    clone.git("push", "--quiet", "origin", "idea")
    clone.git("merge", "--quiet", "idea")
    clone.git("push", "--quiet", "origin", "main")
    origin.git("branch", "-D", "idea")
    assert (await disposal_after(clone, seen(origin), git)).evidence == []


async def test_what_only_the_sync_saw_proves_nothing(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    ahead(clone)
    clone.git("push", "--quiet", "origin", "idea")
    synced = seen(origin)
    clone.git("push", "--quiet", "origin", "--delete", "idea")
    disposal = await disposal_after(clone, synced, git)
    assert (disposal.verdict, found(disposal)) == (
        Verdict.UNSAFE,
        [(EvidenceKind.UNPUSHED, 1)],
    )


async def test_a_branch_that_was_pushed_after_the_sync_is_safe(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    synced = seen(origin, at=datetime(2020, 1, 1, tzinfo=UTC))
    clone.commit("later")
    clone.git("push", "--quiet")
    assert (await disposal_after(clone, synced, git)).evidence == []
    ref = clone.git_directory / "refs/remotes/origin/main"
    future = utc_now().timestamp() + 3600
    os.utime(ref, (future, future))
    assert found(await disposal_after(clone, synced, git)) == [(OUTDATED, 1)]


async def test_a_sync_of_an_unknown_remote_is_compared_with_the_only_one(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    synced = seen(origin, url="https://git.example.org/x.git")
    assert (await disposal_after(clone, synced, git)).evidence == []
    clone.git("remote", "add", "fork", "https://git.example.org/y.git")
    assert found(await disposal_after(clone, synced, git)) == [(EvidenceKind.NOT_CHECKED, 1)]
    clone.git("remote", "set-url", "fork", "git@git.example.org:x")
    assert (await disposal_after(clone, synced, git)).evidence == []
    clone.git("update-ref", "refs/remotes/fork/main", OTHER, check=False)
    clone.write(".git/refs/remotes/fork/main", f"{OTHER}\n")
    assert found(await disposal_after(clone, synced, git)) == [(OUTDATED, 1)]


async def test_the_refspecs_say_which_branch_is_followed(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    clone.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/other/*")
    clone.git("update-ref", "refs/remotes/other/main", "HEAD")
    clone.git("update-ref", "-d", "refs/remotes/origin/HEAD")
    clone.git("update-ref", "-d", "refs/remotes/origin/main")
    assert (await disposal_after(clone, seen(origin), git)).evidence == []
    origin.commit("later")
    assert found(await disposal_after(clone, seen(origin), git)) == [(OUTDATED, 1)]


async def test_a_ref_of_a_pull_request_is_no_branch_that_a_sync_sees(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    clone.git(
        "config", "--add", "remote.origin.fetch", "+refs/pull/*/head:refs/remotes/origin/pr/*"
    )
    clone.git("update-ref", "refs/remotes/origin/pr/1", "HEAD")
    assert (await disposal_after(clone, seen(origin), git)).evidence == []


async def test_a_sync_of_which_not_all_is_stored_is_not_safe(
    clone: Repository, origin: Repository, git: LocalGit
) -> None:
    synced = replace(seen(origin), is_complete=False)
    disposal = await disposal_after(clone, synced, git)
    assert (disposal.verdict, found(disposal)) == (
        Verdict.UNKNOWN,
        [(EvidenceKind.NOT_CHECKED, 1)],
    )

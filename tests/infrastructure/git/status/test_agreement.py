"""The status of a repository is what `git status` itself reports, in all situations."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import Operation
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.corpus import configuration, histories, submodules, working_trees
from tests.infrastructure.git.status.reported_status import reported_status
from tests.support.repositories import USER

Situation = Callable[[Repository], Repository | None]
SITUATIONS = (
    *histories.SITUATIONS,
    *working_trees.SITUATIONS,
    *submodules.SITUATIONS,
    *configuration.SITUATIONS,
)
IN_PROGRESS: dict[Situation, Operation] = {
    histories.merge_with_conflicts: Operation.MERGE,
    histories.merge_to_be_committed: Operation.MERGE,
    histories.merge_of_removed_and_added_files: Operation.MERGE,
    histories.linked_worktree_with_a_merge: Operation.MERGE,
    histories.rebase_with_conflicts: Operation.REBASE,
    histories.rebase_by_patches_with_conflicts: Operation.REBASE,
    histories.rebase_that_stopped_for_an_edit: Operation.REBASE,
    histories.rebase_that_stopped_in_a_merge: Operation.REBASE,
    histories.cherry_pick_with_conflicts: Operation.CHERRY_PICK,
    histories.cherry_pick_between_two_commits: Operation.CHERRY_PICK,
    histories.revert_with_conflicts: Operation.REVERT,
    histories.bisect: Operation.BISECT,
    histories.patches_being_applied: Operation.AM,
}

# Something is unknown, or exists only here although git does not report it.
WITH_A_REASON: set[Situation] = {
    histories.history_that_is_not_all_there,
    histories.rebase_that_stopped_in_a_merge,  # its refs/rewritten
    histories.shallow,
    working_trees.files_assumed_unchanged,
}


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(
            each,
            marks=pytest.mark.long if each is working_trees.large_index else (),
            id=each.__name__,
        )
        for each in SITUATIONS
    ],
)
async def test_git_itself_reports_the_same(
    situation: Situation, repo: Repository, git: LocalGit
) -> None:
    repo = situation(repo) or repo
    before = repo.snapshot()
    status = await git.status(USER, str(repo.path))
    assert repo.snapshot() == before
    expected = reported_status(repo)
    head = status.head.id if status.head else None
    assert (status.reason is not None) is (situation in WITH_A_REASON)
    assert {
        name: head if name == "head" else getattr(status, name) for name in expected
    } == expected
    assert status.operation == IN_PROGRESS.get(situation)


async def test_the_checked_out_commit_is_reported(root: Path, git: LocalGit) -> None:
    repo = Repository.created(root / "repo")
    repo.write("file")
    repo.git("add", ".")
    repo.git(
        "commit", "--quiet", "--message=Note G\n\nBernoulli", GIT_AUTHOR_DATE="@1700000000 +0100"
    )
    head = (await git.status(USER, str(repo.path))).head
    assert head is not None
    assert head.id == repo.git("rev-parse", "HEAD")
    assert (head.subject, head.author) == ("Note G", "Ada Lovelace")
    assert head.authored_at is not None
    assert head.authored_at.isoformat() == "2023-11-14T22:13:20+00:00"


@pytest.mark.parametrize("name", ["(detached)", "(null)", "(initial)", "(unknown)", "HEAD", "a./b"])
async def test_a_branch_may_have_the_name_that_git_prints_for_none(
    name: str, repo: Repository, git: LocalGit
) -> None:
    repo.git("update-ref", f"refs/heads/{name}", "HEAD")
    repo.git("symbolic-ref", "HEAD", f"refs/heads/{name}")
    status = await git.status(USER, str(repo.path))
    assert status.branch == name
    assert status.head is not None
    assert status.head.id == repo.git("rev-parse", "main")

"""The committed work of a repository, beside what git itself says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.work import Integration, KnowledgeSource, RemoteHeads, WorkKind
from symphony.infrastructure.git.history import comparison, risk, unpushed
from symphony.infrastructure.git.process.private_directory import PrivateDirectory
from symphony.infrastructure.git.process.program import Program
from tests.infrastructure.git.history.works import (
    branch_of,
    checkouts,
    counts_by_git,
    unpushed_by_git,
    work_of,
)

LATER = datetime.now(UTC) + timedelta(hours=1)


def integrated_as(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, Integration], others: Integration
) -> None:
    """Decide by the ids of tips what is integrated."""

    def answer(
        private: PrivateDirectory, tips: Sequence[str], target: str, deadline: float
    ) -> Mapping[str, Integration]:
        del private, target, deadline
        return {tip: answers.get(tip, others) for tip in tips}

    monkeypatch.setattr(risk, "integrated", answer)


def synced(repo: Repository, **branches: str) -> RemoteHeads:
    url = repo.git("remote", "get-url", "origin")
    return RemoteHeads(remote_url=url, branches=branches, default_branch="main", synced_at=LATER)


def test_everything_that_is_nowhere_else_counts(repo: Repository, copies: Path) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("c")
    repo.git("tag", "--annotate", "--message=v1", "v1")
    repo.git("checkout", "-q", "--detach")
    repo.commit("d")
    repo.git("tag", "light")
    worktree = repo.path.parent / "worktree"
    repo.git("worktree", "add", "-q", str(worktree), "-b", "other", "main")
    Repository(worktree).commit("e")
    repo.write("a", "stashed")
    repo.git("stash")
    work = work_of(repo, copies)
    assert work.unpushed_commits == unpushed_by_git(repo) == 3
    found = {(each.kind, each.name): each for each in work.items}
    assert {key: each.unpushed_commits for key, each in found.items()} == {
        (WorkKind.BRANCH, "main"): 0,
        (WorkKind.BRANCH, "side"): 1,
        (WorkKind.BRANCH, "other"): 1,
        (WorkKind.DETACHED, None): 2,
        (WorkKind.TAG, "v1"): 1,
        (WorkKind.TAG, "light"): 2,
    }
    assert found[WorkKind.BRANCH, "other"].worktree == str(worktree)
    assert found[WorkKind.DETACHED, None].worktree == str(repo.path)
    assert found[WorkKind.BRANCH, "main"].integrated == Integration.MERGED
    assert work.reason is None


def test_git_does_not_run_when_every_commit_is_that_of_a_remote_tracking_branch(
    repo: Repository, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [replace(each, committed_at=LATER) for each in checkouts(repo)]
    monkeypatch.setattr(Program, "_start", None)
    work = work_of(repo, copies, worktrees=known)
    assert (work.unpushed_commits, work.at_risk, work.reason) == (0, 0, None)
    main = branch_of(work, "main")
    assert (main.upstream, main.ahead, main.behind) == ("origin/main", 0, 0)
    assert (main.integrated, main.committed_at) == (Integration.MERGED, LATER)


@pytest.mark.long
def test_branches_are_compared_with_their_upstreams(repo: Repository, copies: Path) -> None:
    for name in ("ahead", "behind", "both"):
        repo.git("branch", "--track", name, "origin/main")
    repo.git("checkout", "-q", "ahead")
    repo.commit("c")
    repo.git("branch", "--track", "local", "main")
    repo.git("checkout", "-q", "local")
    repo.commit("d")
    repo.git("checkout", "-q", "main")
    repo.commit("e")
    repo.git("push", "-q")
    repo.git("checkout", "-q", "both")
    repo.commit("f")
    repo.git("branch", "gone")
    repo.git("config", "branch.gone.remote", "origin")
    repo.git("config", "branch.gone.merge", "refs/heads/gone")
    work = work_of(repo, copies)
    for name, upstream in (
        *(("ahead", "origin/main"), ("behind", "origin/main")),
        *(("both", "origin/main"), ("local", "main")),
    ):
        item = branch_of(work, name)
        assert item.upstream == upstream
        assert (item.ahead, item.behind) == counts_by_git(repo, name, upstream)
    gone = branch_of(work, "gone")
    assert (gone.upstream, gone.ahead, gone.behind) == ("origin/gone", None, None)
    assert branch_of(work, "local").unpushed_commits == 1


def test_an_integrated_branch_is_not_at_risk_except_for_what_others_reach(
    repo: Repository, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.git("checkout", "-q", "-b", "done")
    repo.commit("c")
    tagged = repo.head
    repo.commit("d")
    done = repo.head
    integrated_as(monkeypatch, {done: Integration.SQUASHED}, Integration.NO)
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (2, 0)
    assert branch_of(work, "done").integrated == Integration.SQUASHED
    repo.git("tag", "part", tagged)
    assert work_of(repo, copies).at_risk == 1
    integrated_as(monkeypatch, {done: Integration.SQUASHED}, Integration.UNKNOWN)
    assert work_of(repo, copies).at_risk is None
    integrated_as(monkeypatch, {tagged: Integration.NO}, Integration.UNKNOWN)
    assert work_of(repo, copies).at_risk == 1


def test_a_branch_of_a_fork_that_was_squashed_into_the_project_is_not_at_risk(
    repo: Repository, copies: Path, origin: Repository, root: Path
) -> None:
    """The fork, which is `origin`, does not have the change yet."""
    project = origin.clone(root / "project")
    repo.git("remote", "add", "upstream", project.path.as_uri())
    repo.git("checkout", "-q", "-b", "topic")
    for content in ("one\n", "two\n"):
        repo.commit("topic", content)
    project.commit("topic", "two\n")
    repo.git("fetch", "-q", "upstream")
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (2, 0)
    assert branch_of(work, "topic").integrated == Integration.SQUASHED
    repo.commit("topic", "three\n")
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (3, 3)
    assert branch_of(work, "topic").integrated == Integration.NO


def test_without_a_remote_everything_is_at_risk(repo: Repository, copies: Path) -> None:
    repo.git("config", "--remove-section", "remote.origin")
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk, work.as_of) == (2, 2, None)


def test_a_sync_knows_more_than_the_last_fetch(
    repo: Repository, copies: Path, origin: Repository
) -> None:
    repo.commit("c")
    repo.git("push", "-q", origin.path.as_uri(), "main")
    assert work_of(repo, copies).unpushed_commits == 1
    seen = synced(repo, main=repo.head)
    work = work_of(repo, copies, seen)
    assert (work.unpushed_commits, work.at_risk) == (0, 0)
    main = branch_of(work, "main")
    assert (main.ahead, main.behind, main.integrated) == (0, 0, Integration.MERGED)
    assert work.as_of is not None
    assert (work.as_of.source, work.as_of.at) == (KnowledgeSource.SYNC, LATER)
    elsewhere = replace(seen, branches={"main": "1" * 40})
    work = work_of(repo, copies, elsewhere)
    main = branch_of(work, "main")
    assert (work.unpushed_commits, main.ahead, main.behind) == (1, None, None)
    repo.git("fetch", "-q")
    old = replace(seen, synced_at=datetime(2001, 1, 1, tzinfo=UTC))
    work = work_of(repo, copies, old)
    assert work.as_of is not None
    assert work.as_of.source == KnowledgeSource.FETCH


def test_a_failed_fetch_is_no_knowledge_of_the_remote(repo: Repository, copies: Path) -> None:
    before = work_of(repo, copies).as_of
    repo.write(".git/FETCH_HEAD", "")
    assert work_of(repo, copies).as_of == before


def test_a_local_ref_among_the_remote_tracking_ones_is_no_remote(
    repo: Repository, copies: Path
) -> None:
    repo.commit("c")
    repo.git("symbolic-ref", "refs/remotes/origin/fake", "refs/heads/main")
    assert work_of(repo, copies).unpushed_commits == 1


def test_a_shallow_clone_is_exact_where_its_cut_does_not_matter(
    root: Path, origin: Repository, repo: Repository, copies: Path
) -> None:
    del repo
    shallow = origin.clone(root / "shallow", "--depth=1")
    assert work_of(shallow, copies).unpushed_commits == 0
    shallow.commit("c")
    assert work_of(shallow, copies).unpushed_commits == 1
    shallow.git("checkout", "-q", "--orphan", "unrelated")
    shallow.commit("d")
    work = work_of(shallow, copies)
    assert work.unpushed_commits is None
    assert work.reason
    assert "shallow" in work.reason


def test_a_clone_without_files_of_old_commits_is_exact(
    root: Path, origin: Repository, repo: Repository, copies: Path
) -> None:
    del repo
    origin.git("config", "uploadpack.allowFilter", "true")
    partial = origin.clone(root / "partial", "--filter=blob:none")
    partial.commit("c")
    work = work_of(partial, copies)
    assert (work.unpushed_commits, work.at_risk) == (1, None)
    assert work.reason == "Whether the unpushed commits are integrated is unknown."


def test_only_the_most_recent_items_are_returned(repo: Repository, copies: Path) -> None:
    head = repo.head
    lines = [f"create refs/heads/b{number} {head}" for number in range(501)]
    (repo.path / "lines").write_text("".join(f"{line}\n" for line in lines))
    packed = "".join(f"{head} refs/heads/b{number:03}\n" for number in range(501))
    repo.write(".git/packed-refs", packed)
    work = work_of(repo, copies)
    assert (len(work.items), work.is_truncated) == (500, True)
    assert work.unpushed_commits == 0


def test_beyond_its_limits_nothing_is_guessed(
    repo: Repository, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.git("checkout", "-q", "-b", "side", "--track", "origin/main")
    repo.commit("c")
    repo.commit("d")
    monkeypatch.setattr(comparison, "_MAX_COMMITS", 1)
    assert branch_of(work_of(repo, copies), "side").ahead is None
    monkeypatch.setattr(unpushed, "_MAX_COMMITS", 1)
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (None, None)
    assert work.reason == "More than 1 commits are on no remote."
    assert branch_of(work, "side").unpushed_commits is None
    assert branch_of(work, "main").unpushed_commits == 0
    monkeypatch.setattr(unpushed, "_MAX_TIPS", 0)
    work = work_of(repo, copies)
    assert work.reason == "More than 0 branches and tags differ from those of the remotes."

"""A status tells of all worktrees, branches and tags, and whether something exists only here."""

import shutil
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import Operation, RepoState, RepoStatus
from symphony.domain.git.work import Integration, WorkKind
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.corpus import configuration
from tests.support.repositories import USER


@pytest.fixture
def clone(root: Path) -> Repository:
    """A clone of which everything is at its remote."""
    origin = Repository.with_commits(root / "origin", "file")
    origin.git("config", "receive.denyCurrentBranch", "ignore")
    clone = origin.clone(root / "clone")
    clone.git("remote", "set-head", "origin", "main")
    return clone


async def status_of(git: LocalGit, path: Path) -> RepoStatus:
    return await git.status(USER, str(path))


async def test_a_clone_has_nothing_at_risk(clone: Repository, git: LocalGit) -> None:
    status = await status_of(git, clone.path)
    assert (status.state, status.reason) == (RepoState.CLEAN, None)
    assert (status.unpushed_commits, status.at_risk) == (0, False)
    (main,) = status.work
    assert (main.name, main.worktree, main.upstream) == ("main", str(clone.path), "origin/main")
    assert (main.ahead, main.behind, main.integrated) == (0, 0, Integration.MERGED)


def on_a_branch(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "idea")
    clone.commit("idea")
    clone.git("switch", "--quiet", "main")


def on_a_detached_head(clone: Repository) -> None:
    clone.git("checkout", "--quiet", "--detach")
    clone.commit("idea")


def under_a_tag(clone: Repository) -> None:
    on_a_detached_head(clone)
    clone.git("tag", "--annotate", "--message=v1", "v1")
    clone.git("switch", "--quiet", "main")


def in_a_worktree(clone: Repository) -> None:
    tree = clone.path.with_name("tree")
    clone.git("worktree", "add", "--quiet", "--detach", str(tree))
    Repository(tree).commit("idea")


def in_a_worktree_that_was_deleted(clone: Repository) -> None:
    in_a_worktree(clone)
    shutil.rmtree(clone.path.with_name("tree"))


@pytest.mark.parametrize(
    ("hide", "kind"),
    [
        (on_a_branch, WorkKind.BRANCH),
        (on_a_detached_head, WorkKind.DETACHED),
        (under_a_tag, WorkKind.TAG),
        (in_a_worktree, WorkKind.DETACHED),
        (in_a_worktree_that_was_deleted, WorkKind.DETACHED),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
async def test_a_commit_that_is_nowhere_else_is_found(
    hide: object, kind: WorkKind, clone: Repository, git: LocalGit
) -> None:
    assert callable(hide)
    hide(clone)
    status = await status_of(git, clone.path)
    assert status.state == RepoState.CLEAN
    assert (status.unpushed_commits, status.at_risk) == (1, True)
    assert [each.kind for each in status.work if each.unpushed_commits] == [kind]


def new_branch(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "idea")


def pushed_without_an_upstream(clone: Repository) -> None:
    on_a_branch(clone)
    clone.git("push", "--quiet", "origin", "idea")


@pytest.mark.parametrize("situation", [new_branch, pushed_without_an_upstream])
async def test_what_is_at_a_remote_is_not_at_risk(
    situation: object, clone: Repository, git: LocalGit
) -> None:
    assert callable(situation)
    situation(clone)
    status = await status_of(git, clone.path)
    assert (status.unpushed_commits, status.at_risk) == (0, False)


async def test_a_branch_that_was_squashed_is_not_at_risk(clone: Repository, git: LocalGit) -> None:
    on_a_branch(clone)
    clone.git("merge", "--quiet", "--squash", "idea")
    clone.git("commit", "--quiet", "--message=Idea (#1)")
    clone.git("push", "--quiet")
    status = await status_of(git, clone.path)
    assert (status.unpushed_commits, status.at_risk) == (1, False)
    assert {each.name: each.integrated for each in status.work} == {
        "main": Integration.MERGED,
        "idea": Integration.SQUASHED,
    }


async def test_linked_worktrees_are_inspected_like_the_repository(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    for name in ("clean", "dirty", "gone", "locked"):
        clone.git("worktree", "add", "--quiet", "-b", name, str(root / name))
    clone.git("worktree", "lock", str(root / "locked"))
    (root / "dirty/file").write_text("changed\n")
    for name in ("gone", "locked"):
        shutil.rmtree(root / name)
    status = await status_of(git, clone.path)
    assert (status.state, status.at_risk) == (RepoState.CLEAN, True)
    states = {Path(each.path).name: (each.branch, each.state) for each in status.worktrees}
    assert states == {
        "clean": ("clean", RepoState.CLEAN),
        "dirty": ("dirty", RepoState.DIRTY),
        "gone": ("gone", RepoState.MISSING),
        "locked": ("locked", RepoState.ERROR),
    }
    reasons = {Path(each.path).name: each.reason or "" for each in status.worktrees}
    assert "git worktree prune" in reasons["gone"]
    assert "another medium" in reasons["locked"]
    places = {each.name: each.worktree for each in status.work}
    assert places["dirty"] == str(root / "dirty")


async def test_whether_a_worktree_that_cannot_be_read_is_at_risk_is_unknown(
    clone: Repository, root: Path, outside: Path, git: LocalGit
) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "gone", str(root / "gone"))
    (root / "gone").rename(root / "moved")
    assert (await status_of(git, clone.path)).at_risk is None
    clone.git("worktree", "prune")
    assert (await status_of(git, clone.path)).at_risk is False
    clone.git("worktree", "add", "--quiet", "-b", "away", str(outside / "away"))
    status = await status_of(git, clone.path)
    assert status.at_risk is None
    away = next(each for each in status.worktrees if each.branch == "away")
    assert (away.state, away.reason) == (
        RepoState.REFUSED,
        "The directory is outside the git roots of this service.",
    )


async def test_a_linked_worktree_knows_its_repository_and_the_other_worktrees(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    for name in ("one", "two"):
        clone.git("worktree", "add", "--quiet", "-b", name, str(root / name))
    Repository(root / "two").commit("idea")
    clone.git("checkout", "--quiet", "--detach")
    clone.commit("detached")
    status = await status_of(git, root / "one")
    assert status.main_repository == str(clone.path)
    assert [Path(each.path).name for each in status.worktrees] == ["clone", "two"]
    assert status.unpushed_commits == 2
    detached = next(each for each in status.work if each.kind == WorkKind.DETACHED)
    assert detached.worktree == str(clone.path)


async def test_a_worktree_of_another_repository_is_no_worktree_of_this_one(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "tree", str(root / "tree"))
    shutil.rmtree(root / "tree")
    Repository.with_commits(root / "tree", "file")
    status = await status_of(git, clone.path)
    (worktree,) = status.worktrees
    assert (worktree.state, status.at_risk) == (RepoState.ERROR, None)
    assert "another repository" in (worktree.reason or "")


async def test_without_a_remote_every_commit_is_at_risk(
    repo: Repository, git: LocalGit, root: Path
) -> None:
    assert (await status_of(git, repo.path)).at_risk is True
    empty = Repository.created(root / "empty")
    assert (await status_of(git, empty.path)).at_risk is False


async def test_a_stash_is_at_risk_and_no_unpushed_commit(clone: Repository, git: LocalGit) -> None:
    clone.write("file", "put aside\n")
    clone.git("stash", "--quiet")
    status = await status_of(git, clone.path)
    assert (status.stashes, status.unpushed_commits, status.at_risk) == (1, 0, True)


@pytest.mark.parametrize("damage", ["worktrees/tree/HEAD", "worktrees/tree/gitdir"])
async def test_a_damaged_list_of_worktrees_makes_the_work_unknown(
    damage: str, clone: Repository, root: Path, git: LocalGit
) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "tree", str(root / "tree"))
    clone.write(f".git/{damage}", "\0")
    status = await status_of(git, clone.path)
    assert status.state == RepoState.CLEAN
    assert (status.unpushed_commits, status.at_risk) == (None, None)
    assert status.reason


@pytest.mark.long
async def test_what_exists_only_in_a_submodule_is_at_risk(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    part = Repository.with_commits(root / "part", "file")
    clone.git("submodule", "--quiet", "add", part.path.as_uri(), "part")
    clone.git("commit", "--quiet", "--message=Part")
    clone.git("push", "--quiet")
    assert (await status_of(git, clone.path)).at_risk is False
    submodule = Repository(clone.path / "part")
    submodule.commit("idea")
    clone.git("commit", "--quiet", "--all", "--message=Idea")
    clone.git("push", "--quiet")
    status = await status_of(git, clone.path)
    assert (status.state, status.unpushed_commits, status.at_risk) == (RepoState.CLEAN, 0, True)
    submodule.git("push", "--quiet", "origin", "HEAD:refs/heads/idea")
    assert (await status_of(git, clone.path)).at_risk is False


async def test_a_number_of_commits_that_is_unknown_is_not_none(root: Path, git: LocalGit) -> None:
    orphan = Repository.with_commits(root / "orphan", "file")
    orphan.git("switch", "--quiet", "--orphan", "empty")
    orphan.write(".git/refs/heads/main", "damaged")
    status = await status_of(git, orphan.path)
    assert (status.head, status.unpushed_commits, status.at_risk) == (None, None, None)


async def test_files_that_were_not_looked_for_may_be_at_risk(
    clone: Repository, git: LocalGit
) -> None:
    clone.git("config", "status.showUntrackedFiles", "no")
    clone.write("new")
    status = await status_of(git, clone.path)
    assert (status.state, status.at_risk) == (RepoState.CLEAN, None)


async def test_what_an_operation_keeps_in_its_files_may_be_at_risk(
    clone: Repository, git: LocalGit
) -> None:
    clone.git("switch", "--quiet", "--create", "idea")
    clone.commit("file", "mine\n")
    patch = clone.git("format-patch", "-1", "--stdout")
    clone.git("switch", "--quiet", "main")
    clone.git("branch", "--quiet", "-D", "idea")
    clone.write(".git/patch", f"{patch}\n")
    clone.git("commit", "--quiet", "--allow-empty", "--message=other")
    clone.git("push", "--quiet")
    clone.git("rm", "--quiet", "file")
    clone.git("commit", "--quiet", "--message=removed")
    clone.git("push", "--quiet")
    clone.git("am", ".git/patch", check=False)
    status = await status_of(git, clone.path)
    assert (status.state, status.operation, status.at_risk) == (RepoState.CLEAN, Operation.AM, None)


async def test_the_whole_of_a_repository_with_sha256(root: Path, git: LocalGit) -> None:
    origin = Repository.created(root / "origin", "--object-format=sha256")
    origin.commit()
    clone = origin.clone(root / "clone")
    assert (await status_of(git, clone.path)).at_risk is False
    on_a_branch(clone)
    clone.git("pack-refs", "--all")
    clone.git("worktree", "add", "--quiet", str(root / "tree"), "idea")
    clone.commit("second")
    status = await status_of(git, clone.path)
    assert (status.state, status.reason) == (RepoState.CLEAN, None)
    assert (status.unpushed_commits, status.at_risk, status.ahead) == (2, True, 1)
    assert status.head is not None
    assert status.head.id == clone.head
    assert len(clone.head) == 64
    assert [tree.state for tree in status.worktrees] == [RepoState.CLEAN]
    assert {each.name: each.integrated for each in status.work} == {
        "main": Integration.NO,
        "idea": Integration.NO,
    }


async def test_the_whole_of_a_repository_whose_git_directory_has_links(
    root: Path, git: LocalGit
) -> None:
    origin = Repository.with_commits(root / "origin", "file")
    clone = configuration.git_directory_of_links(origin)
    status = await status_of(git, clone.path)
    assert (status.unpushed_commits, status.stashes, status.at_risk) == (1, 1, True)
    assert {each.name: each.unpushed_commits for each in status.work} == {"main": 1, "other": 0}

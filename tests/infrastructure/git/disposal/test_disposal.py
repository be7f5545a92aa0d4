"""A disposal is safe only when everything was checked and nothing would be lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.disposal import Disposal, EvidenceKind, Verdict
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit
from tests.support.repositories import USER

Situation = Callable[[Repository], None]


async def disposal_of(git: LocalGit, path: Path) -> Disposal:
    return await git.disposal(USER, str(path))


def found(disposal: Disposal) -> list[tuple[EvidenceKind, int]]:
    return [(each.kind, each.count) for each in disposal.evidence]


async def test_a_clone_that_was_pushed_is_safe(clone: Repository, git: LocalGit) -> None:
    before = clone.snapshot()
    disposal = await disposal_of(git, clone.path)
    assert (disposal.verdict, disposal.evidence) == (Verdict.SAFE, [])
    assert clone.snapshot() == before


async def test_an_empty_repository_is_safe(root: Path, git: LocalGit) -> None:
    assert (await disposal_of(git, Repository.created(root / "empty").path)).evidence == []


def changed(clone: Repository) -> None:
    clone.write("file", "changed\n")


def untracked(clone: Repository) -> None:
    clone.write("new")


def stashed(clone: Repository) -> None:
    changed(clone)
    clone.git("stash", "--quiet")


def with_a_stash_without_a_log(clone: Repository) -> None:
    stashed(clone)
    (clone.git_directory / "logs/refs/stash").unlink()


def ahead(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "idea")
    clone.commit("idea")
    clone.git("switch", "--quiet", "main")


def detached(clone: Repository) -> None:
    clone.git("checkout", "--quiet", "--detach")
    clone.commit("idea")


def without_a_remote(clone: Repository) -> None:
    clone.git("remote", "remove", "origin")


def its_own_remote(clone: Repository) -> None:
    clone.git("remote", "set-url", "origin", ".")


def with_a_remote_inside(clone: Repository) -> None:
    clone.git("clone", "--quiet", "--bare", ".", ".git/backup.git")
    clone.git("remote", "set-url", "origin", (clone.git_directory / "backup.git").as_uri())


def with_a_worktree(clone: Repository) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "tree", str(clone.path.with_name("tree")))


@pytest.mark.parametrize(
    ("situation", "kind"),
    [
        (changed, EvidenceKind.UNCOMMITTED),
        (untracked, EvidenceKind.UNTRACKED),
        (stashed, EvidenceKind.STASH),
        (with_a_stash_without_a_log, EvidenceKind.STASH),
        (ahead, EvidenceKind.UNPUSHED),
        (detached, EvidenceKind.UNPUSHED),
        (without_a_remote, EvidenceKind.NO_REMOTE),
        (its_own_remote, EvidenceKind.NO_REMOTE),
        (with_a_remote_inside, EvidenceKind.NO_REMOTE),
        (with_a_worktree, EvidenceKind.WORKTREE),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_what_exists_only_here_is_unsafe(
    situation: Situation, kind: EvidenceKind, clone: Repository, git: LocalGit
) -> None:
    situation(clone)
    disposal = await disposal_of(git, clone.path)
    assert disposal.verdict == Verdict.UNSAFE
    assert (kind, 1) in found(disposal)


def in_an_operation(clone: Repository) -> None:
    clone.git("bisect", "start")


def with_notes(clone: Repository) -> None:
    clone.git("notes", "add", "--message=only here")


def with_packed_notes(clone: Repository) -> None:
    with_notes(clone)
    clone.git("pack-refs", "--all")


def with_large_files(clone: Repository) -> None:
    clone.write(".git/lfs/objects/ab/cd/abcd")


def with_a_second_remote_inside(clone: Repository) -> None:
    clone.git("remote", "add", "backup", "./.git/backup.git")


def with_a_second_remote_inside_by_another_address(clone: Repository) -> None:
    clone.git("remote", "add", "backup", "backup:backup.git")
    clone.git("config", f"url.{clone.path}/.git/.insteadOf", "backup:")


def with_a_branch_of_no_remote(clone: Repository) -> None:
    clone.git("update-ref", "refs/remotes/gone/main", "HEAD")


def with_a_tag_of_a_tree(clone: Repository) -> None:
    clone.git("tag", "tree", "HEAD^{tree}")


def with_a_missing_worktree(clone: Repository) -> None:
    with_a_worktree(clone)
    clone.path.with_name("tree").rename(clone.path.with_name("moved"))


def without_untracked_files(clone: Repository) -> None:
    clone.git("config", "status.showUntrackedFiles", "no")


@pytest.mark.parametrize(
    ("situation", "kind"),
    [
        (in_an_operation, EvidenceKind.OPERATION),
        (with_notes, EvidenceKind.NOT_CHECKED),
        (with_packed_notes, EvidenceKind.NOT_CHECKED),
        (with_large_files, EvidenceKind.LARGE_FILES),
        (with_a_second_remote_inside, EvidenceKind.NOT_CHECKED),
        (with_a_second_remote_inside_by_another_address, EvidenceKind.NOT_CHECKED),
        (with_a_branch_of_no_remote, EvidenceKind.NOT_CHECKED),
        (with_a_tag_of_a_tree, EvidenceKind.NOT_CHECKED),
        (with_a_missing_worktree, EvidenceKind.NOT_CHECKED),
        (without_untracked_files, EvidenceKind.NOT_CHECKED),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_what_was_not_checked_is_unknown(
    situation: Situation, kind: EvidenceKind, clone: Repository, git: LocalGit
) -> None:
    situation(clone)
    disposal = await disposal_of(git, clone.path)
    assert disposal.verdict == Verdict.UNKNOWN
    assert found(disposal) == [(kind, 1)]


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        ("--depth=1", EvidenceKind.SHALLOW_CLONE),
        ("--filter=blob:none", EvidenceKind.PARTIAL_CLONE),
    ],
)
async def test_a_clone_without_all_objects_is_unknown(
    option: str, kind: EvidenceKind, origin: Repository, root: Path, git: LocalGit
) -> None:
    origin.commit("other")
    origin.git("config", "uploadpack.allowFilter", "true")
    part = origin.clone(root / "part", option)
    disposal = await disposal_of(git, part.path)
    assert (disposal.verdict, found(disposal)) == (Verdict.UNKNOWN, [(kind, 1)])


async def test_a_branch_that_was_squashed_is_safe(clone: Repository, git: LocalGit) -> None:
    ahead(clone)
    clone.git("merge", "--quiet", "--squash", "idea")
    clone.git("commit", "--quiet", "--message=Idea (#1)")
    clone.git("push", "--quiet")
    assert (await disposal_of(git, clone.path)).verdict == Verdict.SAFE


@pytest.mark.long
async def test_a_worktree_is_deleted_without_its_branch(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    ahead(clone)
    stashed(clone)
    tree = Repository(root / "tree")
    clone.git("worktree", "add", "--quiet", str(tree.path), "idea")
    assert (await disposal_of(git, tree.path)).evidence == []
    tree.git("checkout", "--quiet", "--detach")
    assert (await disposal_of(git, tree.path)).evidence == []
    tree.commit("other")
    assert found(await disposal_of(git, tree.path)) == [(EvidenceKind.UNPUSHED, 1)]
    tree.git("tag", "kept")
    assert (await disposal_of(git, tree.path)).evidence == []
    tree.write("file", "changed\n")
    assert found(await disposal_of(git, tree.path)) == [(EvidenceKind.UNCOMMITTED, 1)]


@pytest.mark.long
async def test_submodules_are_checked(clone: Repository, root: Path, git: LocalGit) -> None:
    part = Repository.with_commits(root / "part", "file")
    clone.git("submodule", "--quiet", "add", part.path.as_uri(), "part")
    clone.git("commit", "--quiet", "--message=Part")
    clone.git("push", "--quiet")
    assert (await disposal_of(git, clone.path)).evidence == []
    submodule = Repository(clone.path / "part")
    submodule.write(".git-ignored/.env")
    exclude = clone.git_directory / "modules/part/info/exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text(".git-ignored\n")
    disposal = await disposal_of(git, clone.path)
    assert found(disposal) == [(EvidenceKind.IGNORED_SECRETS, 1)]
    assert "part/.git-ignored/.env" in disposal.evidence[0].detail
    (submodule.path / ".git-ignored/.env").unlink()
    clone.git("config", "submodule.part.ignore", "all")
    assert (await disposal_of(git, clone.path)).evidence == []
    clone.git("config", "--unset", "submodule.part.ignore")
    submodule.commit("idea")
    clone.git("commit", "--quiet", "--all", "--message=Idea")
    clone.git("push", "--quiet")
    assert found(await disposal_of(git, clone.path)) == [(EvidenceKind.SUBMODULE, 1)]
    clone.git("submodule", "deinit", "--quiet", "--all")
    disposal = await disposal_of(git, clone.path)
    assert found(disposal) == [(EvidenceKind.SUBMODULE, 1)]
    assert ".git/modules/part" in disposal.evidence[0].detail


async def test_what_cannot_be_inspected_is_unknown(
    root: Path, outside: Path, git: LocalGit, new_git: NewGit
) -> None:
    (root / "plain").mkdir()
    damaged = Repository.with_commits(root / "damaged", "file")
    damaged.write(".git/HEAD", "damaged")
    for path in (root / "nothing", root / "plain", outside, damaged.path):
        disposal = await disposal_of(git, path)
        assert disposal.verdict == Verdict.UNKNOWN
        assert found(disposal) == [(EvidenceKind.NOT_CHECKED, 1)]
        assert disposal.evidence[0].detail.endswith(".")
    slow = new_git(InspectionLimits(time_limit=0))
    assert (await disposal_of(slow, damaged.path)).verdict == Verdict.UNKNOWN


async def test_a_git_directory_whose_files_are_elsewhere_is_unknown(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    clone.git("config", "core.worktree", "..")
    dotfiles = root / "dotfiles.git"
    (root / "home").mkdir()
    clone.git_directory.rename(dotfiles)
    (clone.path / "file").rename(root / "home/file")
    config = (dotfiles / "config").read_text().replace("worktree = ..", "worktree = ../home")
    (dotfiles / "config").write_text(config)
    disposal = await disposal_of(git, dotfiles)
    assert (disposal.verdict, found(disposal)) == (
        Verdict.UNKNOWN,
        [(EvidenceKind.NOT_CHECKED, 1)],
    )


async def test_files_beside_a_bare_repository_are_not_checked(
    origin: Repository, root: Path, git: LocalGit
) -> None:
    top = Repository(root / "top")
    top.path.mkdir()
    origin.clone(top.path / ".bare", "--bare")
    top.write(".git", "gitdir: ./.bare\n")
    top.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    top.git("fetch", "--quiet")
    assert (await disposal_of(git, top.path)).evidence == []
    for number in range(6):
        top.write(f"thesis-{number}.txt")
    disposal = await disposal_of(git, top.path)
    assert (disposal.verdict, found(disposal)) == (
        Verdict.UNKNOWN,
        [(EvidenceKind.NOT_CHECKED, 1)],
    )
    assert disposal.evidence[0].detail.endswith("thesis-3.txt, thesis-4.txt and more.")


async def test_a_worktree_that_contains_its_repository_is_not_safe(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    ahead(clone)
    tree = root / "tree"
    clone.git("worktree", "add", "--quiet", "-b", "tree", str(tree))
    (clone.git_directory / "info").mkdir(exist_ok=True)
    (clone.git_directory / "info/exclude").write_text("/inner\n")
    clone.path.rename(tree / "inner")
    Repository(tree / "inner").git("worktree", "repair", str(tree))
    disposal = await disposal_of(git, tree)
    assert (disposal.verdict, found(disposal)) == (
        Verdict.UNKNOWN,
        [(EvidenceKind.NOT_CHECKED, 1)],
    )


async def test_refs_of_a_worktree_alone_are_not_checked(
    clone: Repository, root: Path, git: LocalGit
) -> None:
    tree = Repository(root / "tree")
    clone.git("worktree", "add", "--quiet", "--detach", str(tree.path))
    tree.commit("kept")
    tree.git("update-ref", "refs/worktree/kept", "HEAD")
    tree.git("checkout", "--quiet", "main~0")
    disposal = await disposal_of(git, tree.path)
    assert (disposal.verdict, found(disposal)) == (
        Verdict.UNKNOWN,
        [(EvidenceKind.NOT_CHECKED, 1)],
    )
    assert "refs/worktree/kept" in disposal.evidence[0].detail

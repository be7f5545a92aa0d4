"""Situations of branches and commits, each created from a repository with one commit."""

from itertools import pairwise
from pathlib import Path

from scripts.support.git_repository import Repository


def clean(repo: Repository) -> None:
    del repo


def unborn_branch(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "--orphan", "new")


def detached(repo: Repository) -> None:
    repo.commit("second")
    repo.git("checkout", "--quiet", "HEAD^")


def branch_with_slashes_and_umlauts(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "-b", "grün/a/b")


def branch_that_is_another_name_of_one(repo: Repository) -> None:
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    repo.git("symbolic-ref", "HEAD", "refs/heads/alias")


def branch_through_four_symbolic_refs(repo: Repository) -> None:
    chain = [f"refs/heads/{name}" for name in ("one", "two", "three", "main")]
    for name, target in pairwise(["HEAD", *chain]):
        repo.git("symbolic-ref", name, target)


def head_on_a_ref_that_is_no_branch(repo: Repository) -> None:
    repo.git("update-ref", "refs/foo", "HEAD")
    repo.git("symbolic-ref", "HEAD", "refs/foo")


def head_on_a_remote_branch(repo: Repository) -> None:
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repo.git("symbolic-ref", "HEAD", "refs/remotes/origin/main")


def head_on_a_ref_that_does_not_exist(repo: Repository) -> None:
    repo.git("symbolic-ref", "HEAD", "refs/foo")


def head_on_another_name_of_a_branch(repo: Repository) -> None:
    repo.git("symbolic-ref", "refs/bar", "refs/heads/main")
    repo.git("symbolic-ref", "HEAD", "refs/bar")


def linked_worktree_on_a_ref_of_its_own(repo: Repository) -> Repository:
    linked = linked_worktree(repo)
    linked.git("update-ref", "refs/worktree/foo", "HEAD")
    linked.git("symbolic-ref", "HEAD", "refs/worktree/foo")
    return linked


def packed_refs(repo: Repository) -> None:
    repo.commit("second")
    repo.git("pack-refs", "--all")
    repo.git("gc", "--quiet")


def conflict(repo: Repository) -> None:
    """Create two branches that cannot be merged."""
    repo.git("checkout", "--quiet", "-b", "other")
    repo.commit("file", "theirs\n")
    repo.commit("new", "theirs\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit("file", "ours\n")


def merge_with_conflicts(repo: Repository) -> None:
    conflict(repo)
    repo.git("merge", "other", check=False)


def merge_to_be_committed(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "-b", "other")
    repo.commit("new")
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--no-ff", "--no-commit", "other")


def merge_of_removed_and_added_files(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "-b", "other")
    repo.git("rm", "--quiet", "file")
    repo.commit("both", "theirs\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit("file", "ours\n")
    repo.commit("both", "ours\n")
    repo.git("merge", "other", check=False)


def rebase_with_conflicts(repo: Repository) -> None:
    conflict(repo)
    repo.git("rebase", "other", check=False)


def rebase_by_patches_with_conflicts(repo: Repository) -> None:
    conflict(repo)
    repo.git("rebase", "--apply", "other", check=False)


def rebase_that_stopped_for_an_edit(repo: Repository) -> None:
    repo.commit("second")
    repo.commit("third")
    repo.git("rebase", "-i", "HEAD^^", GIT_SEQUENCE_EDITOR="sed -i 1s/pick/edit/")


def rebase_that_stopped_in_a_merge(repo: Repository) -> None:
    conflict(repo)
    repo.git("merge", "--strategy=ours", "--no-edit", "other")
    repo.commit("file", "still ours\n")
    # Otherwise the new commits are the old ones when they are created in the same second.
    later = {"GIT_COMMITTER_DATE": "2030-01-01T00:00:00Z"}
    repo.git("rebase", "--rebase-merges", "--force-rebase", "HEAD~2^", check=False, **later)


def cherry_pick_with_conflicts(repo: Repository) -> None:
    conflict(repo)
    repo.git("cherry-pick", "other^", check=False)


def cherry_pick_between_two_commits(repo: Repository) -> None:
    conflict(repo)
    repo.git("cherry-pick", "other^", "other", check=False)
    repo.git("add", "file")
    repo.git("commit", "--quiet", "--allow-empty", "--no-edit")


def revert_with_conflicts(repo: Repository) -> None:
    repo.commit("file", "two\n")
    repo.commit("file", "three\n")
    repo.git("revert", "--no-edit", "HEAD^", check=False)


def bisect(repo: Repository) -> None:
    for number in range(4):
        repo.commit("file", f"{number}\n")
    repo.git("bisect", "start", "HEAD", "HEAD~4")


def patches_being_applied(repo: Repository) -> None:
    conflict(repo)
    patch = repo.git("format-patch", "-1", "--stdout", "other^")
    repo.write(".git/patch", patch + "\n")
    repo.git("am", ".git/patch", check=False)


def stashes(repo: Repository) -> None:
    for number in range(3):
        repo.write("file", f"{number}\n")
        repo.git("stash")


def upstream(repo: Repository) -> Repository:
    """Add an upstream with the same commits; return the remote."""
    remote = repo.clone(repo.path.with_name("remote"), "--bare")
    repo.git("remote", "add", "origin", remote.path.as_uri())
    repo.git("fetch", "--quiet", "origin")
    repo.git("branch", "--quiet", "--set-upstream-to=origin/main")
    return remote


def even_with_upstream(repo: Repository) -> None:
    upstream(repo)


def ahead_of_upstream(repo: Repository) -> None:
    upstream(repo)
    repo.commit("second")
    repo.commit("third")


def behind_upstream(repo: Repository) -> None:
    repo.commit("second")
    upstream(repo)
    repo.git("reset", "--quiet", "--hard", "HEAD^")


def diverged_from_upstream(repo: Repository) -> None:
    behind_upstream(repo)
    repo.commit("third")
    repo.git("pack-refs", "--all")


def gone_upstream(repo: Repository) -> None:
    upstream(repo)
    repo.git("update-ref", "-d", "refs/remotes/origin/main")


def upstream_that_is_one_of_two(repo: Repository) -> None:
    """Only `git pull` uses the values after the first."""
    repo.git("branch", "topic")
    repo.commit("second")
    upstream(repo)
    repo.git("config", "--add", "branch.main.merge", "refs/heads/topic")


def upstream_that_is_fetched_in_two_ways(repo: Repository) -> None:
    """A refspec without a target does not locate the upstream, and one with `^` excludes refs."""
    upstream(repo)
    repo.commit("second")
    config = (repo.git_directory / "config").read_text()
    fetch = "\tfetch = "
    (repo.git_directory / "config").write_text(
        config.replace(fetch, f"{fetch}refs/heads/main\n{fetch}^refs/heads/topic\n{fetch}", 1)
    )


def directory_with_the_name_of_a_packed_branch(repo: Repository) -> None:
    """git leaves such directories when the branches in them are deleted."""
    repo.git("pack-refs", "--all")
    (repo.git_directory / "refs/heads/main/topic").mkdir(parents=True)


def upstream_that_is_a_local_branch(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "-b", "topic", "--track", "main")
    repo.commit("second")


def upstream_under_an_unusual_name(repo: Repository) -> None:
    upstream(repo)
    repo.git("config", "remote.origin.fetch", "+refs/heads/*:refs/copies/of-*")
    repo.git("fetch", "--quiet", "origin")
    repo.commit("second")


def upstream_fetched_alone(repo: Repository) -> None:
    upstream(repo)
    repo.git("config", "remote.origin.fetch", "refs/heads/main:refs/remotes/origin/trunk")
    repo.git("fetch", "--quiet", "origin")
    repo.commit("second")


def shallow(repo: Repository) -> Repository:
    for number in range(4):
        repo.commit("file", f"{number}\n")
    clone = repo.clone(repo.path.with_name("shallow"), "--depth=2")
    clone.commit("second")
    return clone


def history_that_is_not_all_there(repo: Repository) -> None:
    commit = repo.git("rev-parse", "HEAD")
    repo.commit("second")
    (repo.git_directory / "objects" / commit[:2] / commit[2:]).unlink()


def many_remotes(repo: Repository) -> None:
    upstream(repo)
    repo.git("remote", "add", "with.dots", "https://git.example.org/ada/engine.git")


def linked_worktree(repo: Repository) -> Repository:
    path = repo.path.with_name("linked")
    repo.git("worktree", "add", "--quiet", "-b", "topic", str(path))
    repo.write("file", "changed\n")
    repo.git("stash")
    linked = Repository(path)
    linked.commit("second")
    linked.write("new")
    return linked


def linked_worktree_with_a_merge(repo: Repository) -> Repository:
    conflict(repo)
    path = repo.path.with_name("linked")
    repo.git("worktree", "add", "--quiet", "--detach", str(path), "main")
    linked = Repository(path)
    linked.git("merge", "other", check=False)
    return linked


def linked_worktree_of_a_bare_repository(repo: Repository) -> Repository:
    bare = repo.clone(repo.path.with_name("bare"), "--bare")
    path = repo.path.with_name("linked")
    bare.git("worktree", "add", "--quiet", str(path), "main")
    linked = Repository(path)
    linked.write("file", "changed\n")
    return linked


def git_directory_elsewhere(repo: Repository) -> Repository:
    target = repo.path.with_name("elsewhere")
    separate = Repository.created(repo.path.with_name("separate"), f"--separate-git-dir={target}")
    separate.commit()
    separate.write("new")
    return separate


def git_directory_behind_a_link(repo: Repository) -> None:
    target = repo.path.with_name("elsewhere")
    repo.git_directory.rename(target)
    repo.git_directory.symlink_to(target)


def alternate_objects(repo: Repository) -> Repository:
    shared = Repository(repo.path.with_name("shared"))
    repo.git("clone", "--quiet", "--shared", str(repo.path), str(shared.path))
    shared.commit("second")
    return shared


def sha256(repo: Repository) -> Repository:
    other = Repository.created(repo.path.with_name("sha256"), "--object-format=sha256")
    other.commit()
    other.git("pack-refs", "--all")
    other.write("file", "changed\n")
    return other


def partial_clone(repo: Repository) -> Repository:
    repo.commit("second")
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = repo.clone(repo.path.with_name("partial"), "--filter=blob:none")
    clone.write("file", "changed\n")
    return clone


def format_that_allows_extensions(repo: Repository) -> None:
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.preciousObjects", "true")
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.write(".git/config.worktree", "[core]\n\tfileMode = false\n")
    (repo.path / "file").chmod(0o755)


def path_with_unusual_characters(repo: Repository) -> Repository:
    odd = repo.clone(Path(repo.path.with_name("a: 'b' \"c\" #d $e grün")))
    odd.write("new")
    return odd


SITUATIONS = (
    clean, unborn_branch, detached, branch_with_slashes_and_umlauts,
    branch_that_is_another_name_of_one, branch_through_four_symbolic_refs,
    head_on_a_ref_that_is_no_branch, head_on_a_remote_branch, head_on_a_ref_that_does_not_exist,
    head_on_another_name_of_a_branch, linked_worktree_on_a_ref_of_its_own, packed_refs,
    merge_with_conflicts, merge_to_be_committed,
    merge_of_removed_and_added_files, rebase_with_conflicts, rebase_by_patches_with_conflicts,
    rebase_that_stopped_for_an_edit, rebase_that_stopped_in_a_merge, cherry_pick_with_conflicts,
    cherry_pick_between_two_commits, revert_with_conflicts, bisect, patches_being_applied, stashes,
    even_with_upstream, ahead_of_upstream, behind_upstream, diverged_from_upstream, gone_upstream,
    upstream_that_is_one_of_two, upstream_that_is_fetched_in_two_ways,
    directory_with_the_name_of_a_packed_branch,
    upstream_that_is_a_local_branch, upstream_under_an_unusual_name, upstream_fetched_alone,
    shallow, history_that_is_not_all_there, many_remotes,
    linked_worktree, linked_worktree_with_a_merge, linked_worktree_of_a_bare_repository,
    git_directory_elsewhere, git_directory_behind_a_link, alternate_objects, sha256, partial_clone,
    format_that_allows_extensions, path_with_unusual_characters,
)  # fmt: skip

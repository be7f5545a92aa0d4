"""Work that exists only in a clone, or that may, although `git status` and the branches are clean.

Each situation is created from a clone, `root/clone`, of which everything is at its remote.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from scripts.support.git_repository import Repository

Hide = Callable[[Repository], object]


def file_assumed_unchanged(clone: Repository) -> None:
    clone.git("update-index", "--assume-unchanged", "file")
    clone.write("file", "only here\n")


def file_left_out_of_the_worktree(clone: Repository) -> None:
    clone.git("update-index", "--skip-worktree", "file")
    clone.write("file", "only here\n")


def directory_in_place_of_a_marked_file(clone: Repository) -> None:
    clone.git("update-index", "--assume-unchanged", "file")
    (clone.path / "file").unlink()
    clone.write("file/inner")


def marked_file_of_a_linked_worktree(clone: Repository) -> None:
    file_assumed_unchanged(linked_worktree(clone))


def marked_file_of_a_submodule(clone: Repository) -> None:
    submodule(clone).write("file", "only here\n")
    Repository(clone.path / "part").git("update-index", "--assume-unchanged", "file")


def marked_file_beside_a_sparse_checkout(clone: Repository) -> None:
    clone.git("sparse-checkout", "set", "--no-cone", "/*")
    file_assumed_unchanged(clone)


def linked_worktree(clone: Repository) -> Repository:
    clone.git("worktree", "add", "--quiet", "-b", "tree", str(clone.path.with_name("tree")))
    return Repository(clone.path.with_name("tree"))


def submodule(clone: Repository, name: str = "part") -> Repository:
    """Add a submodule of which everything is at its remote."""
    origin = Repository.with_commits(clone.path.with_name("part-origin"), "file")
    clone.git("submodule", "--quiet", "add", "--name", name, origin.path.as_uri(), "part")
    clone.git("commit", "--quiet", "--message=Part")
    clone.git("push", "--quiet")
    return Repository(clone.path / "part")


def commit_in_a_submodule_that_is_not_checked_out(clone: Repository) -> None:
    part = submodule(clone)
    part.git("switch", "--quiet", "--create", "idea")
    part.commit("idea")
    part.git("switch", "--quiet", "main")
    clone.git("submodule", "--quiet", "deinit", "part")


def commit_in_a_submodule_of_another_branch(clone: Repository) -> None:
    before = clone.head
    submodule(clone, "group/part").commit("idea")
    clone.git("checkout", "--quiet", "--force", "-B", "main", before)
    shutil.rmtree(clone.path / "part")


def stash_in_a_submodule_that_is_not_checked_out(clone: Repository) -> None:
    part = submodule(clone)
    part.write("file", "put aside\n")
    part.git("stash", "--quiet")
    clone.git("submodule", "--quiet", "deinit", "part")


def staged_in_a_submodule_that_is_not_checked_out(clone: Repository) -> None:
    part = submodule(clone)
    part.write("file", "staged\n")
    part.git("add", "file")
    clone.git("submodule", "--quiet", "deinit", "--force", "part")


def commit_in_a_submodule_of_a_submodule_that_is_not_checked_out(clone: Repository) -> None:
    part = submodule(clone)
    inner = Repository.with_commits(clone.path.with_name("inner-origin"), "file")
    part.git("submodule", "--quiet", "add", inner.path.as_uri(), "inner")
    part.git("commit", "--quiet", "--message=Inner")
    part.git("push", "--quiet", "origin", "HEAD:refs/heads/inner")
    Repository(part.path / "inner").commit("idea")
    clone.git("submodule", "--quiet", "deinit", "--force", "part")


def worktree_of_a_submodule(clone: Repository) -> None:
    part = submodule(clone)
    linked_worktree(part)
    (clone.path / "tree").rename(clone.path.with_name("part-tree"))
    part.git("worktree", "repair", str(clone.path.with_name("part-tree")))
    clone.path.with_name("part-tree").joinpath("file").write_text("only here\n")


def commit_in_an_ignored_submodule(clone: Repository) -> None:
    part = submodule(clone)
    clone.git("config", "submodule.part.ignore", "all")
    part.commit("idea")


def files_in_place_of_a_submodule(clone: Repository) -> None:
    submodule(clone)
    clone.git("submodule", "--quiet", "deinit", "part")
    clone.write("part/notes")


def stash_without_a_log(clone: Repository) -> None:
    clone.write("file", "put aside\n")
    clone.git("stash", "--quiet")
    (clone.git_directory / "logs/refs/stash").unlink()


def packed_stash_without_a_log(clone: Repository) -> None:
    stash_without_a_log(clone)
    clone.git("pack-refs", "--all")
    assert not (clone.git_directory / "refs/stash").exists()


def _only_at(clone: Repository, url: str) -> None:
    """Push a commit to a remote that is the clone itself."""
    clone.git("remote", "add", "self", url)
    clone.commit("idea")
    clone.git("fetch", "--quiet", "self")
    assert clone.git("rev-list", "main", "--not", "--remotes") == ""


def remote_that_is_the_repository(clone: Repository) -> None:
    _only_at(clone, ".")


def only_remote_that_is_the_repository(clone: Repository) -> None:
    clone.git("remote", "remove", "origin")
    _only_at(clone, ".")


def remote_with_the_path_of_the_repository(clone: Repository) -> None:
    _only_at(clone, str(clone.path))


def remote_with_the_path_of_the_git_directory(clone: Repository) -> None:
    _only_at(clone, clone.git_directory.as_uri())


def remote_with_a_link_to_the_repository(clone: Repository) -> None:
    clone.path.with_name("link").symlink_to(clone.path)
    _only_at(clone, "../link")


def remote_that_is_a_linked_worktree(clone: Repository) -> None:
    _only_at(clone, str(linked_worktree(clone).path))


def remote_that_is_the_repository_by_another_name(clone: Repository) -> None:
    clone.git("config", f"url.{clone.path}/.insteadOf", "https://example.org/")
    _only_at(clone, "https://example.org/.")


def remote_that_pushes_to_the_repository(clone: Repository) -> None:
    clone.git("remote", "set-url", "--push", "origin", ".")
    clone.commit("idea")
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/idea")


def bisect_from_a_detached_head(clone: Repository) -> None:
    good = clone.head
    clone.commit("file", "second\n")
    middle = clone.head
    clone.git("push", "--quiet")
    clone.git("checkout", "--quiet", "--detach")
    clone.commit("idea")
    clone.git("bisect", "start", "HEAD", good)
    clone.git("checkout", "--quiet", middle)


def bare_by_mistake(clone: Repository) -> None:
    clone.git("config", "core.bare", "true")
    clone.write("file", "only here\n")


def untracked_files_not_wanted(clone: Repository) -> None:
    clone.git("config", "status.showUntrackedFiles", "no")
    clone.write("new")


def file_whose_name_differs_in_case(clone: Repository) -> None:
    clone.git("config", "core.ignoreCase", "true")
    clone.write("FILE", "only here\n")


def notes(clone: Repository) -> None:
    clone.git("notes", "add", "--message=note")


def commit_on_a_ref_of_a_tool(clone: Repository) -> None:
    clone.commit("idea")
    clone.git("update-ref", "refs/wip/main", "HEAD")
    clone.git("reset", "--quiet", "--hard", "HEAD^")


def commit_on_a_packed_ref_of_a_tool(clone: Repository) -> None:
    commit_on_a_ref_of_a_tool(clone)
    clone.git("pack-refs", "--all")


def file_under_a_ref_of_a_tool(clone: Repository) -> None:
    clone.write(".git/new")
    clone.git("update-ref", "refs/wip/file", clone.git("hash-object", "-w", ".git/new"))


def commit_on_a_ref_of_a_worktree(clone: Repository) -> None:
    tree = linked_worktree(clone)
    tree.commit("idea")
    tree.git("update-ref", "refs/worktree/idea", "HEAD")
    tree.git("reset", "--quiet", "--hard", "HEAD^")


def replaced_commit(clone: Repository) -> None:
    clone.git("replace", "--edit", "HEAD", GIT_EDITOR="sed -i s/Change/Changed/")


def autostash_of_a_merge(clone: Repository) -> None:
    clone.write("file", "put aside\n")
    stash = clone.git("stash", "create")
    clone.git("reset", "--quiet", "--hard")
    clone.write(".git/MERGE_AUTOSTASH", stash)


def filtered_file_of_the_same_size(clone: Repository) -> None:
    clone.git("config", "filter.upper.clean", "tr a-z A-Z")
    clone.git("config", "filter.upper.smudge", "tr A-Z a-z")
    clone.commit(".gitattributes", "*.up filter=upper\n")
    clone.commit("a.up", "one\n")
    clone.git("push", "--quiet")
    clone.write("a.up", "two\n")


def directory_that_cannot_be_read(clone: Repository) -> None:
    """It has a file, and its path is longer than any that can be opened."""
    descriptor = os.open(clone.path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("x" * 200, dir_fd=descriptor)
        inner = os.open("x" * 200, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("new", os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)


AT_RISK: tuple[Hide, ...] = (
    file_assumed_unchanged, file_left_out_of_the_worktree, directory_in_place_of_a_marked_file,
    marked_file_of_a_linked_worktree, marked_file_of_a_submodule,
    marked_file_beside_a_sparse_checkout,
    commit_in_a_submodule_that_is_not_checked_out, commit_in_a_submodule_of_another_branch,
    stash_in_a_submodule_that_is_not_checked_out, staged_in_a_submodule_that_is_not_checked_out,
    commit_in_a_submodule_of_a_submodule_that_is_not_checked_out,
    worktree_of_a_submodule, commit_in_an_ignored_submodule, files_in_place_of_a_submodule,
    stash_without_a_log, packed_stash_without_a_log,
    remote_that_is_the_repository, only_remote_that_is_the_repository,
    remote_with_the_path_of_the_repository, remote_with_the_path_of_the_git_directory,
    remote_with_a_link_to_the_repository, remote_that_is_a_linked_worktree,
    remote_that_is_the_repository_by_another_name, remote_that_pushes_to_the_repository,
)  # fmt: skip
PERHAPS_AT_RISK: dict[Hide, str] = {
    bisect_from_a_detached_head: "The operation in progress (bisect) may keep work in files.",
    bare_by_mistake: "It has an index: files that belong to it were not compared.",
    untracked_files_not_wanted: "status.showUntrackedFiles keeps git from finding",
    file_whose_name_differs_in_case: "core.ignoreCase keeps git from finding untracked files.",
    notes: "What these refs have may be nowhere else: refs/notes/commits.",
    commit_on_a_ref_of_a_tool: "What these refs have may be nowhere else: refs/wip/main.",
    commit_on_a_packed_ref_of_a_tool: "nowhere else: refs/wip/main.",
    file_under_a_ref_of_a_tool: "nowhere else: refs/wip/file.",
    commit_on_a_ref_of_a_worktree: "nowhere else: worktrees/tree/refs/worktree/idea.",
    replaced_commit: "nowhere else: refs/replace/",
    autostash_of_a_merge: "A merge has left changes in MERGE_AUTOSTASH.",
    filtered_file_of_the_same_size: "Files with a filter (git-lfs, git-crypt) that may be",
}


def sparse_checkout(clone: Repository) -> None:
    clone.commit("inside/one")
    clone.commit("outside/two")
    clone.git("push", "--quiet")
    clone.git("sparse-checkout", "set", "inside")
    assert not (clone.path / "outside").exists()


def marked_files_without_changes(clone: Repository) -> None:
    clone.commit("second")
    clone.commit("third")
    clone.git("push", "--quiet")
    clone.git("update-index", "--assume-unchanged", "file")
    clone.git("update-index", "--skip-worktree", "second", "third")
    os.utime(clone.path / "file", ns=(10**18, 10**18))
    (clone.path / "third").unlink()


def marked_file_with_other_line_ends(clone: Repository) -> None:
    clone.git("config", "core.autocrlf", "true")
    clone.git("update-index", "--assume-unchanged", "file")
    clone.write("file", "content\r\n")


def submodule_not_checked_out(clone: Repository) -> None:
    submodule(clone)
    clone.git("submodule", "--quiet", "deinit", "part")


def submodule_of_another_branch_that_is_checked_out(clone: Repository) -> None:
    before = clone.head
    submodule(clone)
    clone.git("checkout", "--quiet", "--force", "-B", "main", before)
    clone.write(".git/info/exclude", "/part/\n")


def submodule_removed_for_good(clone: Repository) -> None:
    submodule(clone)
    clone.git("rm", "--quiet", "part")
    clone.git("commit", "--quiet", "--message=Removed")
    clone.git("push", "--quiet")


def remote_on_the_same_disk(clone: Repository) -> None:
    other = clone.path.with_name("other")
    clone.git("init", "--quiet", "--bare", str(other))
    clone.git("remote", "add", "other", "../other")
    clone.commit("idea")
    clone.git("push", "--quiet", "other", "main")


def remote_that_is_the_repository_beside_another_one(clone: Repository) -> None:
    clone.git("remote", "add", "self", ".")
    clone.git("fetch", "--quiet", "self")


def case_that_is_ignored(clone: Repository) -> None:
    clone.git("config", "core.ignoreCase", "true")


def ref_of_a_tool_at_a_pushed_commit(clone: Repository) -> None:
    clone.commit("file", "second\n")
    clone.git("push", "--quiet")
    clone.git("update-ref", "refs/wip/main", "HEAD^")
    clone.git("symbolic-ref", "refs/wip/head", "refs/wip/main")
    clone.write(".git/refs/wip/main.lock", "")


def ref_that_a_remote_has_sent(clone: Repository) -> None:
    Repository(clone.path.with_name("origin")).commit("theirs")
    prefetch = "+refs/heads/*:refs/prefetch/remotes/origin/*"
    clone.git("fetch", "--quiet", "--refmap=", "origin", prefetch)


def bare_repository_with_worktrees(clone: Repository) -> None:
    """The layout `.bare` with a `.git` file beside it, and all branches in worktrees."""
    clone.git("clone", "--quiet", "--bare", str(clone.path.with_name("origin")), ".bare")
    shutil.rmtree(clone.git_directory)
    (clone.path / "file").unlink()
    clone.git_directory.write_text("gitdir: ./.bare\n")
    clone.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    clone.git("fetch", "--quiet")
    clone.git("worktree", "add", "--quiet", "main")


NOT_AT_RISK: tuple[Hide, ...] = (
    sparse_checkout, marked_files_without_changes, marked_file_with_other_line_ends,
    submodule_not_checked_out, submodule_of_another_branch_that_is_checked_out,
    submodule_removed_for_good, remote_on_the_same_disk,
    remote_that_is_the_repository_beside_another_one, case_that_is_ignored,
    ref_of_a_tool_at_a_pushed_commit, ref_that_a_remote_has_sent, bare_repository_with_worktrees,
)  # fmt: skip


def work_in_a_submodule_of_another_branch(clone: Repository) -> Path:
    submodule_of_another_branch_that_is_checked_out(clone)
    return clone.write("part/file", "only here\n")

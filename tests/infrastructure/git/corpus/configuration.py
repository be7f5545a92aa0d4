"""Situations of lists that a configuration names, and of links in a git directory."""

import os
from pathlib import Path

from scripts.support.git_repository import Repository


def files_ignored_by_info_exclude(repo: Repository) -> None:
    repo.write(".git/info/exclude", "*.log\n")
    repo.write("ignored.log")
    repo.write("new")


def files_ignored_by_info_exclude_in_a_linked_worktree(repo: Repository) -> Repository:
    """The list is in the common directory; one beside the HEAD of the worktree has no effect."""
    linked = Repository(repo.path.with_name("linked"))
    repo.git("worktree", "add", "--quiet", str(linked.path))
    repo.write(".git/info/exclude", "*.log\n")
    repo.write(".git/worktrees/linked/info/exclude", "*\n")
    linked.write("ignored.log")
    linked.write("new")
    return linked


def _ignored(repo: Repository, list_name: str, value: str) -> None:
    repo.write(list_name, "*.log\nlist\n")
    repo.git("config", "core.excludesFile", value)
    repo.write("ignored.log")
    repo.write("folder/new")


def files_ignored_by_a_list_of_the_repository(repo: Repository) -> None:
    _ignored(repo, ".git/list", str(repo.git_directory / "list"))


def files_ignored_by_a_list_beside_the_files(repo: Repository) -> None:
    _ignored(repo, "list", "list")


def files_ignored_by_a_list_behind_a_link(repo: Repository) -> None:
    (repo.git_directory / "link").symlink_to("../../list")
    _ignored(repo, "../list", ".git/link")


def list_of_ignored_files_that_does_not_exist(repo: Repository) -> None:
    repo.git("config", "core.excludesFile", "no/such/list")
    repo.write("new")


def no_list_of_ignored_files(repo: Repository) -> None:
    _ignored(repo, "list", "")


def files_ignored_by_two_lists(repo: Repository) -> None:
    """`info/exclude` has precedence."""
    _ignored(repo, ".git/list", ".git/list")
    repo.write(".git/info/exclude", "!ignored.log\n")


def files_compared_by_a_list_of_attributes(repo: Repository) -> None:
    """Without the list, git would convert the ends of lines and find no difference."""
    repo.commit("lines", "first\nsecond\n")
    repo.git("config", "core.autocrlf", "true")
    repo.git("config", "core.attributesFile", ".git/list")
    repo.write(".git/list", "lines -text\n")
    repo.write("lines", b"first\r\nsecond\r\n")


def git_directory_of_links(repo: Repository) -> Repository:
    """As the tool `repo` of Android creates it: `objects` leads on through a second link."""
    files = repo.clone(repo.path.with_name("kernel"))
    files.git("config", "status.showUntrackedFiles", "all")
    files.write("file", "stashed\n")
    files.git("stash", "--quiet")
    files.git("branch", "other")
    files.git("pack-refs", "--all")
    files.write(".git/info/exclude", "*.log\n")
    project = files.path.with_name(".repo") / "projects/kernel.git"
    shared = project.parent.parent / "project-objects/kernel.git"
    for directory in (project, shared):
        directory.mkdir(parents=True)
    (files.git_directory / "objects").rename(shared / "objects")
    (project / "objects").symlink_to("../../project-objects/kernel.git/objects")
    for name in ("config", "info", "logs", "packed-refs", "refs"):
        (files.git_directory / name).rename(project / name)
    for name in ("config", "hooks", "info", "logs", "objects", "packed-refs", "refs", "shallow"):
        (files.git_directory / name).unlink(missing_ok=True)
        link = os.path.relpath(project / name, files.git_directory)
        (files.git_directory / name).symlink_to(link)
    files.commit("ahead")
    files.write("folder/ignored.log")
    files.write("folder/new")
    files.write("file", "changed\n")
    return files


def git_directory_behind_a_link_with_links(repo: Repository) -> Repository:
    """As newer versions of that tool create it: `.git` itself is a link."""
    project = repo.path.with_name("projects") / "kernel.git"
    shared = repo.path.with_name("project-objects")
    project.parent.mkdir()
    shared.mkdir()
    repo.git_directory.rename(project)
    (project / "objects").rename(shared / "objects")
    (project / "objects").symlink_to(shared / "objects")
    repo.git_directory.symlink_to("../projects/kernel.git")
    repo.write("new")
    return repo


def second_working_directory(repo: Repository) -> Repository:
    """As git's `git-new-workdir` creates it."""
    repo.git("branch", "other")
    repo.write("file", "stashed\n")
    repo.git("stash", "--quiet")
    second = Repository(repo.path.with_name("second"))
    (second.git_directory / "logs").mkdir(parents=True)
    for name in ("config", "refs", "logs/refs", "objects", "info", "hooks", "packed-refs"):
        (second.git_directory / name).symlink_to(repo.git_directory / name)
    second.write(".git/HEAD", "ref: refs/heads/other\n")
    second.git("checkout", "--quiet", "-f")
    second.write("new")
    return second


def list_of_ignored_files_that_is_a_link(repo: Repository) -> None:
    exclude: Path = repo.git_directory / "info/exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.unlink(missing_ok=True)
    exclude.symlink_to("../../../exclude")
    repo.write("../exclude", "*.log\n")
    repo.write("ignored.log")


SITUATIONS = (
    files_ignored_by_info_exclude, files_ignored_by_info_exclude_in_a_linked_worktree,
    files_ignored_by_a_list_of_the_repository, files_ignored_by_a_list_beside_the_files,
    files_ignored_by_a_list_behind_a_link, list_of_ignored_files_that_does_not_exist,
    no_list_of_ignored_files, files_ignored_by_two_lists, files_compared_by_a_list_of_attributes,
    git_directory_of_links, git_directory_behind_a_link_with_links, second_working_directory,
    list_of_ignored_files_that_is_a_link,
)  # fmt: skip

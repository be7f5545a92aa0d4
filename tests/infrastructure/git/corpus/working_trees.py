"""Situations of files and of the index, each created from a repository with one commit."""

import os

from scripts.support.git_repository import Repository


def staged_file(repo: Repository) -> None:
    repo.write("new")
    repo.git("add", "new")


def modified_file(repo: Repository) -> None:
    repo.write("file", "changed\n")


def file_modified_after_staging(repo: Repository) -> None:
    repo.write("file", "staged\n")
    repo.git("add", "file")
    repo.write("file", "modified\n")


def file_of_the_same_size_and_time(repo: Repository) -> None:
    """git reads the file only because the index is not newer than the file."""
    repo.git("config", "core.trustctime", "false")
    before = (10**18, 10**18)
    os.utime(repo.path / "file", ns=before)
    repo.git("update-index", "--refresh")
    os.utime(repo.write("file", "tnetnoc\n"), ns=before)
    os.utime(repo.git_directory / "index", ns=before)


def touched_file(repo: Repository) -> None:
    os.utime(repo.path / "file", ns=(10**18, 10**18))


def deleted_files(repo: Repository) -> None:
    repo.commit("second")
    repo.git("rm", "--quiet", "second")
    (repo.path / "file").unlink()


def renamed_file(repo: Repository) -> None:
    repo.commit("long", "line\n" * 50)
    repo.git("mv", "long", "longer")
    repo.write("longer", "line\n" * 51)


def copied_file(repo: Repository) -> None:
    repo.git("config", "status.renames", "copies")
    repo.commit("long", "line\n" * 50)
    repo.write("copy", "line\n" * 50)
    repo.write("long", "line\n" * 51)
    repo.git("add", ".")


def file_to_be_added(repo: Repository) -> None:
    repo.write("new")
    repo.git("add", "--intent-to-add", "new")


def file_turned_into_a_link(repo: Repository) -> None:
    (repo.path / "file").unlink()
    (repo.path / "file").symlink_to("nowhere")


def directory_in_place_of_a_file(repo: Repository) -> None:
    (repo.path / "file").unlink()
    repo.write("file/inner")


def untracked_directories(repo: Repository) -> None:
    repo.write("folder/one")
    repo.write("folder/two")
    repo.write("three")


def untracked_files_not_wanted(repo: Repository) -> None:
    untracked_directories(repo)
    repo.git("config", "status.showUntrackedFiles", "no")


def ignored_files(repo: Repository) -> None:
    repo.write(".gitignore", "*.log\n/build/\n")
    repo.write("a.log")
    repo.write("build/a")
    repo.write("folder/b.log")
    repo.write("folder/.gitignore", "!b.log\n")


def files_excluded_here_only(repo: Repository) -> None:
    repo.write(".git/info/exclude", "*.log\n")
    repo.write("a.log")
    repo.write("new")


def nested_repository(repo: Repository) -> None:
    Repository.with_commits(repo.path / "nested", "file")
    Repository.created(repo.path / "empty")


def line_ends_converted(repo: Repository) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.write("file", "content\r\n")
    repo.commit("windows", "a\r\nb\r\n")


def line_ends_by_attribute(repo: Repository) -> None:
    repo.write(".git/info/attributes", "file text eol=crlf\n")
    repo.write("file", "content\r\n")


def modes_that_count(repo: Repository) -> None:
    (repo.path / "file").chmod(0o755)


def modes_that_do_not_count(repo: Repository) -> None:
    repo.git("config", "core.fileMode", "false")
    (repo.path / "file").chmod(0o755)


def links(repo: Repository) -> None:
    (repo.path / "link").symlink_to("/etc/passwd")
    (repo.path / "loop").symlink_to("loop")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--message=links")
    (repo.path / "loop").unlink()
    (repo.path / "loop").symlink_to("elsewhere")


def links_that_are_files(repo: Repository) -> None:
    links(repo)
    repo.git("config", "core.symlinks", "false")
    (repo.path / "link").unlink()
    repo.write("link", "/etc/passwd")


def names_with_newlines(repo: Repository) -> None:
    repo.commit("one\nline")
    repo.write("one\nline", "changed\n")
    repo.write("two\n\nlines\t\x01")


def names_that_are_not_utf8(repo: Repository) -> None:
    name = os.fsdecode(b"caf\xe9\xff")
    repo.commit(name)
    repo.write(name, "changed\n")
    repo.write(os.fsdecode(b"\x80new"))


def branch_and_commit_that_are_not_utf8(repo: Repository) -> None:
    repo.write(".git/message", b"caf\xe9 \xff\n")
    repo.git("-c", "i18n.commitEncoding=UTF-8", "commit", "--quiet", "--allow-empty",
             "--file=.git/message", GIT_AUTHOR_NAME=os.fsdecode(b"Ren\xe9"))  # fmt: skip


def split_index(repo: Repository) -> None:
    repo.commit("second")
    repo.git("update-index", "--split-index")
    repo.write("new")
    repo.git("add", "new")
    repo.write("file", "changed\n")
    assert list(repo.git_directory.glob("sharedindex.*"))


def sparse_checkout(repo: Repository) -> None:
    repo.commit("inside/one")
    repo.commit("outside/two")
    repo.git("sparse-checkout", "set", "inside")
    repo.write("outside/two", "present all the same\n")
    repo.write("inside/one", "changed\n")


def sparse_index(repo: Repository) -> None:
    repo.commit("inside/one")
    repo.commit("outside/deep/two")
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "inside")
    repo.write("inside/one", "changed\n")


def untracked_cache(repo: Repository) -> None:
    repo.write("folder/one")
    repo.git("update-index", "--force-untracked-cache")
    repo.git("status")
    repo.write("folder/two")
    repo.write("three")


def file_system_monitor(repo: Repository) -> None:
    """The index records that no file needs to be checked; then one is changed."""
    hook = repo.write(".git/hooks/monitor", "#!/bin/sh\nprintf 'token\\0'\n")
    hook.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(hook))
    repo.git("update-index", "--fsmonitor")
    repo.git("status")
    repo.git("config", "--unset", "core.fsmonitor")
    repo.write("file", "changed\n")


def files_assumed_unchanged(repo: Repository) -> None:
    repo.git("update-index", "--assume-unchanged", "file")
    repo.write("file", "changed\n")
    repo.commit("second")
    repo.git("update-index", "--skip-worktree", "second")
    repo.write("second", "changed\n")


def index_of_version_4(repo: Repository) -> None:
    repo.commit("folder/second")
    repo.git("update-index", "--index-version=4")
    repo.write("folder/second", "changed\n")


def locked_index(repo: Repository) -> None:
    repo.write(".git/index.lock", "")
    repo.write("file", "changed\n")


def no_index(repo: Repository) -> None:
    (repo.git_directory / "index").unlink()


def large_index(repo: Repository) -> None:
    for number in range(10_000):
        repo.write(f"folder-{number % 100}/file-{number}", f"{number}\n")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--message=many")
    for number in range(0, 10_000, 10):
        repo.write(f"folder-{number % 100}/file-{number}", "changed\n")


def filtered(repo: Repository) -> None:
    """Add a file with another content in the repository than on the disk, as with git-lfs."""
    repo.git("config", "filter.upper.clean", "tr a-z A-Z")
    repo.git("config", "filter.upper.smudge", "tr A-Z a-z")
    repo.git("config", "filter.upper.required", "true")
    repo.write(".gitattributes", "*.up filter=upper\n")
    repo.commit("a.up", "kept in capitals\n")
    repo.commit("b.up", "kept in capitals\n")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--message=all")


def filtered_files_touched(repo: Repository) -> None:
    filtered(repo)
    os.utime(repo.path / "a.up", ns=(10**18, 10**18))


def filtered_files_changed(repo: Repository) -> None:
    filtered(repo)
    os.utime(repo.path / "a.up", ns=(10**18, 10**18))
    repo.write("b.up", "another length\n")
    repo.write("file", "changed\n")


SITUATIONS = (
    staged_file, modified_file, file_modified_after_staging, file_of_the_same_size_and_time,
    touched_file, deleted_files, renamed_file, copied_file, file_to_be_added,
    file_turned_into_a_link, directory_in_place_of_a_file, untracked_directories,
    untracked_files_not_wanted, ignored_files, files_excluded_here_only, nested_repository,
    line_ends_converted, line_ends_by_attribute, modes_that_count, modes_that_do_not_count, links,
    links_that_are_files, names_with_newlines, names_that_are_not_utf8,
    branch_and_commit_that_are_not_utf8, split_index, sparse_checkout, sparse_index,
    untracked_cache, file_system_monitor, files_assumed_unchanged, index_of_version_4,
    locked_index, no_index, large_index, filtered_files_touched, filtered_files_changed,
)  # fmt: skip

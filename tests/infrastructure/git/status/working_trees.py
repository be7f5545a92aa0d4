"""Situations of files and of the index, each made from a repository with one commit."""

import os

from tests.support.repositories import Repository


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
    """Only that the index is not newer than the file makes git look into it."""
    repo.git("config", "core.trustctime", "false")
    before = (10**18, 10**18)
    os.utime(repo.path / "file", ns=before)
    repo.git("update-index", "--refresh")
    os.utime(repo.write("file", "tnetnoc\n"), ns=before)
    os.utime(repo.own / "index", ns=before)


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


def folder_in_place_of_a_file(repo: Repository) -> None:
    (repo.path / "file").unlink()
    repo.write("file/inner")


def untracked_folders(repo: Repository) -> None:
    repo.write("folder/one")
    repo.write("folder/two")
    repo.write("three")


def untracked_files_not_wanted(repo: Repository) -> None:
    untracked_folders(repo)
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
    nested = Repository.made(repo.path / "nested")
    nested.commit()
    Repository.made(repo.path / "empty")


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


def names_that_are_no_text(repo: Repository) -> None:
    name = os.fsdecode(b"caf\xe9\xff")
    repo.commit(name)
    repo.write(name, "changed\n")
    repo.write(os.fsdecode(b"\x80new"))


def branch_and_commit_that_are_no_text(repo: Repository) -> None:
    repo.write(".git/message", b"caf\xe9 \xff\n")
    repo.git("-c", "i18n.commitEncoding=UTF-8", "commit", "--quiet", "--allow-empty",
             "--file=.git/message", GIT_AUTHOR_NAME=os.fsdecode(b"Ren\xe9"))  # fmt: skip


def split_index(repo: Repository) -> None:
    repo.commit("second")
    repo.git("update-index", "--split-index")
    repo.write("new")
    repo.git("add", "new")
    repo.write("file", "changed\n")
    assert list(repo.own.glob("sharedindex.*"))


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
    """The index says that nothing needs to be looked at; then something is changed."""
    hook = repo.write(".git/hooks/monitor", "#!/bin/sh\nprintf 'token\\0'\n")
    hook.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(hook))
    repo.git("update-index", "--fsmonitor")
    repo.git("status")
    repo.git("config", "--unset", "core.fsmonitor")
    repo.write("file", "changed\n")


def files_taken_for_unchanged(repo: Repository) -> None:
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
    (repo.own / "index").unlink()


def large_index(repo: Repository) -> None:
    for number in range(10_000):
        repo.write(f"folder-{number % 100}/file-{number}", f"{number}\n")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--message=many")
    for number in range(0, 10_000, 10):
        repo.write(f"folder-{number % 100}/file-{number}", "changed\n")


def filtered(repo: Repository) -> None:
    """A file that is kept in another form, as with git-lfs."""
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


def submodule(repo: Repository) -> Repository:
    """Gives it one, with a filter and a monitor of its own, and gives that."""
    library = Repository.made(repo.path.with_name("library"))
    library.commit("inner")
    library.commit("inner", "second\n")
    repo.git("submodule", "--quiet", "add", library.path.as_uri(), "vendor/lib")
    repo.git("commit", "--quiet", "--message=submodule")
    return Repository(repo.path / "vendor" / "lib")


def submodule_added(repo: Repository) -> None:
    submodule(repo)
    repo.git("reset", "--quiet", "--soft", "HEAD^")


def submodule_clean(repo: Repository) -> None:
    submodule(repo)


def submodule_modified(repo: Repository) -> None:
    submodule(repo).write("inner", "changed\n")


def submodule_with_untracked_files(repo: Repository) -> None:
    submodule(repo).write("new")


def submodule_moved(repo: Repository) -> None:
    submodule(repo).git("checkout", "--quiet", "HEAD^")


def submodule_moved_and_staged(repo: Repository) -> None:
    inner = submodule(repo)
    inner.git("checkout", "--quiet", "HEAD^")
    repo.git("add", "vendor/lib")
    inner.write("inner", "changed\n")


def submodule_whose_changes_do_not_count(repo: Repository) -> None:
    inner = submodule(repo)
    inner.write("inner", "changed\n")
    repo.git("config", "--file=.gitmodules", "submodule.vendor/lib.ignore", "dirty")


def submodule_whose_untracked_files_do_not_count(repo: Repository) -> None:
    inner = submodule(repo)
    inner.write("new")
    repo.git("config", "submodule.vendor/lib.ignore", "untracked")


def submodule_beside_a_sparse_index(repo: Repository) -> None:
    inner = submodule(repo)
    repo.commit("outside/deep/two")
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "vendor")
    inner.write("inner", "changed\n")


def submodule_not_checked_out(repo: Repository) -> None:
    submodule(repo)
    repo.git("submodule", "--quiet", "deinit", "--force", "vendor/lib")


def submodule_removed(repo: Repository) -> None:
    inner = submodule(repo)
    for file in inner.path.iterdir():
        file.unlink()
    inner.path.rmdir()


def submodule_in_a_submodule(repo: Repository) -> None:
    inner = submodule(repo)
    innermost = submodule(Repository(inner.path))
    innermost.write("inner", "changed\n")


def repository_added_as_if_it_were_a_submodule(repo: Repository) -> None:
    nested = Repository.made(repo.path / "nested")
    nested.commit()
    repo.git("add", "nested")
    repo.git("commit", "--quiet", "--message=nested")
    nested.commit("second")


SITUATIONS = (
    staged_file, modified_file, file_modified_after_staging, file_of_the_same_size_and_time,
    touched_file, deleted_files, renamed_file, copied_file, file_to_be_added,
    file_turned_into_a_link, folder_in_place_of_a_file, untracked_folders,
    untracked_files_not_wanted, ignored_files, files_excluded_here_only, nested_repository,
    line_ends_converted, line_ends_by_attribute, modes_that_count, modes_that_do_not_count, links,
    links_that_are_files, names_with_newlines, names_that_are_no_text,
    branch_and_commit_that_are_no_text, split_index, sparse_checkout, sparse_index,
    untracked_cache, file_system_monitor, files_taken_for_unchanged, index_of_version_4,
    locked_index, no_index, large_index, filtered_files_touched, filtered_files_changed,
    submodule_added, submodule_clean, submodule_modified, submodule_with_untracked_files,
    submodule_moved, submodule_moved_and_staged, submodule_whose_changes_do_not_count,
    submodule_whose_untracked_files_do_not_count, submodule_not_checked_out, submodule_removed,
    submodule_beside_a_sparse_index, submodule_in_a_submodule,
    repository_added_as_if_it_were_a_submodule,
)  # fmt: skip

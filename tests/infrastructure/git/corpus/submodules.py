"""Situations of submodules, each created from a repository with one commit."""

from scripts.support.git_repository import Repository


def submodule(repo: Repository) -> Repository:
    """Add a submodule and return it."""
    library = Repository.with_commits(repo.path.with_name("library"), "inner")
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
    nested = Repository.with_commits(repo.path / "nested", "file")
    repo.git("add", "nested")
    repo.git("commit", "--quiet", "--message=nested")
    nested.commit("second")


SITUATIONS = (
    submodule_added,
    submodule_clean,
    submodule_modified,
    submodule_with_untracked_files,
    submodule_moved,
    submodule_moved_and_staged,
    submodule_whose_changes_do_not_count,
    submodule_whose_untracked_files_do_not_count,
    submodule_beside_a_sparse_index,
    submodule_not_checked_out,
    submodule_removed,
    submodule_in_a_submodule,
    repository_added_as_if_it_were_a_submodule,
)

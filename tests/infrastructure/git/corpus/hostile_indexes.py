"""Indexes with paths that git does not add to an index, but follows when it reads them from one.

Each would reveal something about the secret file: whether it exists, or has a guessed content.
"""

from hashlib import sha1

from scripts.support.git_repository import Repository
from tests.infrastructure.git.corpus.hostile import HostileRepository, submodule

FILE, SUBMODULE = "100644", "160000"


def _entry(repo: Repository, path: str, content: str, mode: str = FILE) -> None:
    """Add an entry to the index that records the content at a path."""
    placeholder = "x" * len(path)
    repo.git("update-index", "--add", "--cacheinfo", f"{mode},{content},{placeholder}")
    _rename(repo, placeholder, path)


def _rename(repo: Repository, name: str, path: str) -> None:
    """Replace a name in the index by a path of the same length."""
    index = repo.git_directory / "index"
    content = index.read_bytes()[:-20].replace(name.encode(), path.encode())
    index.write_bytes(content + sha1(content, usedforsecurity=False).digest())


def _guess(hostile: HostileRepository) -> str:
    return hostile.secret.git("rev-parse", "HEAD:file")


def absolute_path(hostile: HostileRepository) -> None:
    _entry(hostile.repo, str(hostile.secret.path / "file"), _guess(hostile))


def path_that_leads_up(hostile: HostileRepository) -> None:
    _entry(hostile.repo, "../../outside/secret/file", _guess(hostile))


def path_that_leads_up_from_a_directory(hostile: HostileRepository) -> None:
    _entry(hostile.repo, "a/../../../outside/secret/file", _guess(hostile))


def path_into_the_git_directory(hostile: HostileRepository) -> None:
    _entry(hostile.repo, "a/.GIT/config", _guess(hostile))


def path_that_ends_with_a_slash(hostile: HostileRepository) -> None:
    (hostile.repo.path / "link").symlink_to(hostile.secret.path)
    _entry(hostile.repo, "link/", _guess(hostile))


def path_in_a_shared_index(hostile: HostileRepository) -> None:
    path_that_leads_up(hostile)
    hostile.repo.git("update-index", "--split-index")


def path_in_the_index_of_a_submodule(hostile: HostileRepository) -> None:
    submodule(hostile)
    inner = Repository(hostile.repo.git_directory / "modules/vendor")
    index = inner.path / "index"
    _entry(hostile.repo, str(hostile.secret.path / "file"), _guess(hostile))
    index.write_bytes((hostile.repo.git_directory / "index").read_bytes())
    hostile.repo.git("read-tree", "HEAD")


def directory_of_a_sparse_index(hostile: HostileRepository) -> None:
    name = "x" * len(path := "../../outside/secret")
    hostile.repo.commit(f"{name}/file")
    hostile.repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "inside")
    _rename(hostile.repo, f"{name}/", f"{path}/")


def submodule_at_an_absolute_path(hostile: HostileRepository) -> None:
    head = hostile.secret.git("rev-parse", "HEAD")
    _entry(hostile.repo, str(hostile.secret.path), head, SUBMODULE)


def submodule_above(hostile: HostileRepository) -> None:
    head = hostile.secret.git("rev-parse", "HEAD")
    _entry(hostile.repo, "../../outside/secret", head, SUBMODULE)


def file_left_out_behind_a_link(hostile: HostileRepository) -> None:
    """git checks whether it exists nevertheless."""
    hostile.repo.git("update-index", "--add", "--cacheinfo", f"{FILE},{_guess(hostile)},link/file")
    hostile.repo.git("update-index", "--skip-worktree", "link/file")
    hostile.config("core.sparseCheckout", "true")
    (hostile.repo.path / "link").symlink_to(hostile.secret.path)


def directory_left_out_behind_a_link(hostile: HostileRepository) -> None:
    hostile.repo.commit("link/file")
    hostile.repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "inside")
    (hostile.repo.path / "link").symlink_to(hostile.secret.path)


def submodule_recorded_twice(hostile: HostileRepository) -> None:
    """Each time, the service would inspect it again."""
    for name in ("sub1", "sub2"):
        _entry(hostile.repo, name, hostile.repo.head, SUBMODULE)
    _rename(hostile.repo, "sub2", "sub1")


INVALID = (submodule_recorded_twice,)
LEADING_OUTSIDE = (
    absolute_path, path_that_leads_up, path_that_leads_up_from_a_directory,
    path_into_the_git_directory, path_that_ends_with_a_slash, path_in_a_shared_index,
    path_in_the_index_of_a_submodule, directory_of_a_sparse_index, submodule_at_an_absolute_path,
    submodule_above, file_left_out_behind_a_link, directory_left_out_behind_a_link,
)  # fmt: skip

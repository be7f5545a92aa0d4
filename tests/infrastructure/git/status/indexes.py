"""Indexes with paths that git does not add to one, and follows when it reads them from one.

Each would tell something of the secret file: whether it is there, or is what somebody guesses.
"""

from hashlib import sha1

from tests.infrastructure.git.status.plants import Ground, submodule
from tests.support.repositories import Repository

FILE, SUBMODULE = "100644", "160000"


def _entry(repo: Repository, path: str, content: str, mode: str = FILE) -> None:
    """An entry of the index that says what is at a path."""
    stands_in = "x" * len(path)
    repo.git("update-index", "--add", "--cacheinfo", f"{mode},{content},{stands_in}")
    _rename(repo, stands_in, path)


def _rename(repo: Repository, name: str, path: str) -> None:
    """Puts a path of the same length in the place of a name."""
    index = repo.own / "index"
    content = index.read_bytes()[:-20].replace(name.encode(), path.encode())
    index.write_bytes(content + sha1(content, usedforsecurity=False).digest())


def _guess(ground: Ground) -> str:
    return ground.secret.git("rev-parse", "HEAD:file")


def absolute_path(ground: Ground) -> None:
    _entry(ground.repo, str(ground.secret.path / "file"), _guess(ground))


def path_that_leads_up(ground: Ground) -> None:
    _entry(ground.repo, "../../outside/secret/file", _guess(ground))


def path_that_leads_up_from_a_folder(ground: Ground) -> None:
    _entry(ground.repo, "a/../../../outside/secret/file", _guess(ground))


def path_into_the_git_directory(ground: Ground) -> None:
    _entry(ground.repo, "a/.GIT/config", _guess(ground))


def path_that_ends_with_a_slash(ground: Ground) -> None:
    (ground.repo.path / "link").symlink_to(ground.secret.path)
    _entry(ground.repo, "link/", _guess(ground))


def path_in_a_shared_index(ground: Ground) -> None:
    path_that_leads_up(ground)
    ground.repo.git("update-index", "--split-index")


def path_in_the_index_of_a_submodule(ground: Ground) -> None:
    submodule(ground)
    inner = Repository(ground.repo.own / "modules/vendor")
    index = inner.path / "index"
    _entry(ground.repo, str(ground.secret.path / "file"), _guess(ground))
    index.write_bytes((ground.repo.own / "index").read_bytes())
    ground.repo.git("read-tree", "HEAD")


def folder_of_a_sparse_index(ground: Ground) -> None:
    name = "x" * len(path := "../../outside/secret")
    ground.repo.commit(f"{name}/file")
    ground.repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "inside")
    _rename(ground.repo, f"{name}/", f"{path}/")


def submodule_at_an_absolute_path(ground: Ground) -> None:
    head = ground.secret.git("rev-parse", "HEAD")
    _entry(ground.repo, str(ground.secret.path), head, SUBMODULE)


def submodule_above(ground: Ground) -> None:
    head = ground.secret.git("rev-parse", "HEAD")
    _entry(ground.repo, "../../outside/secret", head, SUBMODULE)


def file_left_out_behind_a_link(ground: Ground) -> None:
    """git looks whether it is there all the same."""
    ground.repo.git("update-index", "--add", "--cacheinfo", f"{FILE},{_guess(ground)},link/file")
    ground.repo.git("update-index", "--skip-worktree", "link/file")
    ground.config("core.sparseCheckout", "true")
    (ground.repo.path / "link").symlink_to(ground.secret.path)


def folder_left_out_behind_a_link(ground: Ground) -> None:
    ground.repo.commit("link/file")
    ground.repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "inside")
    (ground.repo.path / "link").symlink_to(ground.secret.path)


LEADING_OUT = (
    absolute_path, path_that_leads_up, path_that_leads_up_from_a_folder,
    path_into_the_git_directory, path_that_ends_with_a_slash, path_in_a_shared_index,
    path_in_the_index_of_a_submodule, folder_of_a_sparse_index, submodule_at_an_absolute_path,
    submodule_above, file_left_out_behind_a_link, folder_left_out_behind_a_link,
)  # fmt: skip

"""Repositories that are damaged, or that are none, and what is told of them."""

import os
from collections.abc import Callable
from itertools import pairwise

from symphony.domain.git import RepoState
from tests.support.repositories import Repository

Damage = Callable[[Repository], None]
ENORMOUS = 1 << 40  # bytes; as holes, they take no room


def _gone(repo: Repository) -> None:
    repo.path.rename(repo.path.with_name("gone"))


def removed_folder(repo: Repository) -> None:
    _gone(repo)


def file_in_place_of_a_folder_above(repo: Repository) -> None:
    _gone(repo)
    repo.path.parent.rename(repo.path.parent.with_name("was"))
    repo.path.parent.write_text("")


def file_in_place_of_the_folder(repo: Repository) -> None:
    _gone(repo)
    repo.path.write_text("")


def no_git_directory(repo: Repository) -> None:
    repo.own.rename(repo.path / "git")


def empty_git_directory(repo: Repository) -> None:
    no_git_directory(repo)
    repo.own.mkdir()


def no_refs(repo: Repository) -> None:
    (repo.own / "refs").rename(repo.own / "no-refs")


def git_file_that_says_nothing(repo: Repository) -> None:
    no_git_directory(repo)
    repo.own.write_text("hello\n")


def git_file_that_leads_nowhere(repo: Repository) -> None:
    no_git_directory(repo)
    repo.own.write_text("gitdir: nowhere\n")


def git_link_that_leads_nowhere(repo: Repository) -> None:
    no_git_directory(repo)
    repo.own.symlink_to("nowhere")


def damaged_index(repo: Repository) -> None:
    repo.write(".git/index", b"DIRC\x00\x00\x00\x02\xff\xff\xff\xff")


def empty_index(repo: Repository) -> None:
    repo.write(".git/index", b"")


def damaged_head(repo: Repository) -> None:
    repo.write(".git/HEAD", b"\xff\x00\xfe")


def empty_head(repo: Repository) -> None:
    repo.write(".git/HEAD", "")


def head_that_leads_out(repo: Repository) -> None:
    repo.write(".git/HEAD", "ref: refs/heads/../../../../outside/secret/.git/HEAD\n")


def damaged_branch(repo: Repository) -> None:
    repo.write(".git/refs/heads/main", "not an id\n")


def branch_of_a_commit_that_is_not_there(repo: Repository) -> None:
    repo.write(".git/refs/heads/main", "1234567890" * 4 + "\n")


def missing_tree(repo: Repository) -> None:
    tree = repo.git("rev-parse", "HEAD^{tree}")
    (repo.own / "objects" / tree[:2] / tree[2:]).unlink()


def damaged_commit(repo: Repository) -> None:
    commit = repo.git("rev-parse", "HEAD")
    file = repo.own / "objects" / commit[:2] / commit[2:]
    file.chmod(0o644)
    file.write_bytes(b"no zlib")


def damaged_config(repo: Repository) -> None:
    repo.write(".git/config", "[core\nbare = maybe")


def newer_format(repo: Repository) -> None:
    repo.git("config", "core.repositoryFormatVersion", "2")


def unknown_extension(repo: Repository) -> None:
    repo.write(".git/config", "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tfuture = 1\n")


def refs_in_another_form(repo: Repository) -> None:
    """As `git init --ref-format=reftable` makes it, from git 2.45 on."""
    repo.write(
        ".git/config",
        "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\trefStorage = reftable\n",
    )
    repo.write(".git/HEAD", "ref: refs/heads/.invalid\n")


def _pipe(repo: Repository, name: str) -> None:
    place = repo.own / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)


def pipe_for_head(repo: Repository) -> None:
    _pipe(repo, "HEAD")


def pipe_for_index(repo: Repository) -> None:
    _pipe(repo, "index")


def pipe_for_config(repo: Repository) -> None:
    _pipe(repo, "config")


def pipe_for_branch(repo: Repository) -> None:
    _pipe(repo, "refs/heads/main")


def pipe_for_packed_refs(repo: Repository) -> None:
    _pipe(repo, "packed-refs")


def pipe_for_alternates(repo: Repository) -> None:
    _pipe(repo, "objects/info/alternates")


def pipe_for_git_directory(repo: Repository) -> None:
    no_git_directory(repo)
    os.mkfifo(repo.own)


def socket_for_head(repo: Repository) -> None:
    (repo.own / "HEAD").unlink()
    os.mknod(repo.own / "HEAD", 0o140644)


def folder_for_index(repo: Repository) -> None:
    (repo.own / "index").unlink()
    (repo.own / "index").mkdir()


def _enormous(repo: Repository, name: str) -> None:
    file = repo.own / name
    file.touch()
    os.truncate(file, ENORMOUS)


def enormous_head(repo: Repository) -> None:
    _enormous(repo, "HEAD")


def enormous_index(repo: Repository) -> None:
    _enormous(repo, "index")


def enormous_packed_refs(repo: Repository) -> None:
    _enormous(repo, "packed-refs")


def enormous_config(repo: Repository) -> None:
    _enormous(repo, "config")


def enormous_alternates(repo: Repository) -> None:
    _enormous(repo, "objects/info/alternates")


def alternates_that_lead_round(repo: Repository) -> None:
    others = [Repository.made(repo.path.with_name(f"other-{each}")) for each in range(60)]
    ring = [repo, *others, repo]
    for one, next_one in pairwise(ring):
        one.write(".git/objects/info/alternates", f"{next_one.own}/objects\n")


def submodules_in_submodules_without_end(repo: Repository) -> None:
    """Each has its parent's index, in which it stands itself."""
    commit = repo.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    folder = repo.path
    for _ in range(20):
        folder /= "sub"
        folder.mkdir()
        (folder / ".git").write_text(f"gitdir: {repo.own}\n")


def submodule_that_leads_nowhere(repo: Repository) -> None:
    commit = repo.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    repo.write("sub/.git", "gitdir: nowhere\n")


def branch_in_very_many_folders(repo: Repository) -> None:
    (repo.own / "HEAD").write_text(f"ref: refs/heads/{'a/' * 200}a\n")
    folder = os.open(repo.own / "refs/heads", os.O_RDONLY)
    for _ in range(200):
        os.mkdir("a", dir_fd=folder)
        inner = os.open("a", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    with os.fdopen(os.open("a", os.O_WRONLY | os.O_CREAT, dir_fd=folder), "w") as ref:
        ref.write("0" * 40)
    os.close(folder)


def submodule_with_an_empty_git_directory(repo: Repository) -> None:
    submodule_that_leads_nowhere(repo)
    (repo.path / "sub/.git").unlink()
    (repo.path / "sub/.git").mkdir()


MISSING, NONE = RepoState.MISSING, RepoState.NOT_A_REPOSITORY
REFUSED, ERROR = RepoState.REFUSED, RepoState.ERROR
IN_GITS_WORDS = "…"  # which differ from one version to the other
DAMAGES: dict[Damage, tuple[RepoState, str]] = {
    removed_folder: (MISSING, "There is nothing at this path."),
    file_in_place_of_a_folder_above: (MISSING, "There is nothing at this path."),
    file_in_place_of_the_folder: (NONE, "There is a file at this path, not a folder."),
    no_git_directory: (NONE, "There is no .git in this folder."),
    empty_git_directory: (NONE, "Its .git is no git directory: a part of it is missing."),
    no_refs: (NONE, "Its .git is no git directory: a part of it is missing."),
    git_file_that_says_nothing: (ERROR, "Its .git is a file that names no git directory."),
    git_file_that_leads_nowhere: (ERROR, "Its git directory is elsewhere, and not there any more."),
    git_link_that_leads_nowhere: (ERROR, "Its .git is a symbolic link that leads to no folder."),
    damaged_index: (ERROR, IN_GITS_WORDS),
    empty_index: (ERROR, IN_GITS_WORDS),
    damaged_head: (ERROR, "Its HEAD is damaged."),
    empty_head: (ERROR, "Its HEAD is damaged."),
    head_that_leads_out: (REFUSED, "A name in the git directory leads out of it."),
    branch_in_very_many_folders: (REFUSED, "A name in the git directory leads too deep."),
    damaged_branch: (ERROR, "A ref that it needs is damaged."),
    branch_of_a_commit_that_is_not_there: (ERROR, IN_GITS_WORDS),
    missing_tree: (ERROR, IN_GITS_WORDS),
    damaged_commit: (ERROR, IN_GITS_WORDS),
    damaged_config: (ERROR, "Its config cannot be read."),
    newer_format: (ERROR, "It has a format that is newer than this service."),
    unknown_extension: (ERROR, "It uses an extension that cannot be read here: future."),
    refs_in_another_form: (ERROR, "It uses an extension that cannot be read here: refstorage."),
    pipe_for_head: (REFUSED, "HEAD is not a plain file."),
    pipe_for_index: (REFUSED, "index is not a plain file."),
    pipe_for_config: (REFUSED, "config is not a plain file."),
    pipe_for_branch: (REFUSED, "refs/heads/main is not a plain file."),
    pipe_for_packed_refs: (REFUSED, "packed-refs is not a plain file."),
    pipe_for_alternates: (REFUSED, "info/alternates is not a plain file."),
    pipe_for_git_directory: (REFUSED, ".git is not a plain file."),
    socket_for_head: (REFUSED, "HEAD is not a plain file."),
    folder_for_index: (REFUSED, "index is not a plain file."),
    enormous_head: (ERROR, "HEAD has more than 4,096 bytes."),
    enormous_index: (ERROR, "index has more than 268,435,456 bytes."),
    enormous_packed_refs: (ERROR, "packed-refs has more than 67,108,864 bytes."),
    enormous_config: (ERROR, "config has more than 1,048,576 bytes."),
    enormous_alternates: (ERROR, "info/alternates has more than 65,536 bytes."),
    alternates_that_lead_round: (ERROR, "Its objects are spread over too many places."),
    submodules_in_submodules_without_end: (ERROR, "In a submodule: They are nested too deeply."),
    submodule_that_leads_nowhere: (
        ERROR,
        "In a submodule: Its git directory is elsewhere, and not there any more.",
    ),
    submodule_with_an_empty_git_directory: (
        ERROR,
        "In a submodule: Its .git is no git directory: a part of it is missing.",
    ),
}

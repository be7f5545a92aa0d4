"""Repositories that are damaged, or are not repositories, with the state and reason of each."""

import os
from collections.abc import Callable
from itertools import pairwise

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState

Damage = Callable[[Repository], None]
ENORMOUS = 1 << 40  # bytes; as a hole, they take no space on the disk


def _gone(repo: Repository) -> None:
    repo.path.rename(repo.path.with_name("gone"))


def removed_directory(repo: Repository) -> None:
    _gone(repo)


def file_in_place_of_a_parent_directory(repo: Repository) -> None:
    _gone(repo)
    repo.path.parent.rename(repo.path.parent.with_name("was"))
    repo.path.parent.write_text("")


def file_in_place_of_the_directory(repo: Repository) -> None:
    _gone(repo)
    repo.path.write_text("")


def no_git_directory(repo: Repository) -> None:
    repo.git_directory.rename(repo.path / "git")


def empty_git_directory(repo: Repository) -> None:
    no_git_directory(repo)
    repo.git_directory.mkdir()


def no_refs(repo: Repository) -> None:
    (repo.git_directory / "refs").rename(repo.git_directory / "no-refs")


def git_file_without_a_path(repo: Repository) -> None:
    no_git_directory(repo)
    repo.git_directory.write_text("hello\n")


def git_file_that_leads_nowhere(repo: Repository) -> None:
    no_git_directory(repo)
    repo.git_directory.write_text("gitdir: nowhere\n")


def git_link_that_leads_nowhere(repo: Repository) -> None:
    no_git_directory(repo)
    repo.git_directory.symlink_to("nowhere")


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


def branch_that_leads_to_itself(repo: Repository) -> None:
    repo.write(".git/refs/heads/main", "ref: refs/heads/main\n")


def head_at_no_valid_name(repo: Repository) -> None:
    repo.write(".git/HEAD", "ref: refs/heads/a..b\n")


def head_at_a_lock_file(repo: Repository) -> None:
    repo.write(".git/HEAD", "ref: refs/heads/main.lock\n")


def branch_of_a_commit_that_is_not_there(repo: Repository) -> None:
    repo.write(".git/refs/heads/main", "1234567890" * 4 + "\n")


def head_at_a_tree(repo: Repository) -> None:
    repo.write(".git/HEAD", repo.git("rev-parse", "HEAD^{tree}"))


def head_at_a_blob(repo: Repository) -> None:
    repo.write(".git/HEAD", repo.git("rev-parse", "HEAD:file"))


def branch_at_a_tree(repo: Repository) -> None:
    repo.write(".git/refs/heads/main", repo.git("rev-parse", "HEAD^{tree}"))


def branch_at_a_tag_of_a_tree(repo: Repository) -> None:
    repo.git("tag", "--annotate", "--message=tree", "tree", "HEAD^{tree}")
    repo.write(".git/refs/heads/main", repo.git("rev-parse", "tree"))


def branch_at_a_tag_of_a_blob(repo: Repository) -> None:
    repo.git("tag", "--annotate", "--message=file", "blob", "HEAD:file")
    repo.write(".git/refs/heads/main", repo.git("rev-parse", "blob"))


def branch_of_a_bare_repository_at_a_tree(repo: Repository) -> None:
    branch_at_a_tag_of_a_tree(repo)
    repo.git("config", "core.bare", "true")


def branch_of_a_bare_repository_at_a_blob(repo: Repository) -> None:
    branch_at_a_tag_of_a_blob(repo)
    repo.git("config", "core.bare", "true")


def missing_tree(repo: Repository) -> None:
    tree = repo.git("rev-parse", "HEAD^{tree}")
    (repo.git_directory / "objects" / tree[:2] / tree[2:]).unlink()


def damaged_commit(repo: Repository) -> None:
    commit = repo.git("rev-parse", "HEAD")
    file = repo.git_directory / "objects" / commit[:2] / commit[2:]
    file.chmod(0o644)
    file.write_bytes(b"no zlib")


def damaged_config(repo: Repository) -> None:
    repo.write(".git/config", "[core\nbare = maybe")


def newer_format(repo: Repository) -> None:
    repo.git("config", "core.repositoryFormatVersion", "2")


def unknown_extension(repo: Repository) -> None:
    repo.write(".git/config", "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tfuture = 1\n")


def refs_in_another_form(repo: Repository) -> None:
    """As `git init --ref-format=reftable` creates it, from git 2.45 on."""
    repo.write(
        ".git/config",
        "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\trefStorage = reftable\n",
    )
    repo.write(".git/HEAD", "ref: refs/heads/.invalid\n")


def _pipe(repo: Repository, name: str) -> None:
    target = repo.git_directory / name
    target.unlink(missing_ok=True)
    os.mkfifo(target)


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
    os.mkfifo(repo.git_directory)


def socket_for_head(repo: Repository) -> None:
    (repo.git_directory / "HEAD").unlink()
    os.mknod(repo.git_directory / "HEAD", 0o140644)


def directory_for_index(repo: Repository) -> None:
    (repo.git_directory / "index").unlink()
    (repo.git_directory / "index").mkdir()


def _enormous(repo: Repository, name: str) -> None:
    file = repo.git_directory / name
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


def alternates_in_a_ring(repo: Repository) -> None:
    others = [Repository.created(repo.path.with_name(f"other-{each}")) for each in range(60)]
    ring = [repo, *others, repo]
    for one, next_one in pairwise(ring):
        one.write(".git/objects/info/alternates", f"{next_one.git_directory}/objects\n")


def submodules_nested_without_end(repo: Repository) -> None:
    """Each has the index of its parent, which records the submodule itself."""
    commit = repo.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    directory = repo.path
    for _ in range(20):
        directory /= "sub"
        directory.mkdir()
        (directory / ".git").write_text(f"gitdir: {repo.git_directory}\n")


def submodule_that_leads_nowhere(repo: Repository) -> None:
    commit = repo.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    repo.write("sub/.git", "gitdir: nowhere\n")


def branch_in_very_many_directories(repo: Repository) -> None:
    (repo.git_directory / "HEAD").write_text(f"ref: refs/heads/{'a/' * 200}a\n")
    directory = os.open(repo.git_directory / "refs/heads", os.O_RDONLY)
    for _ in range(200):
        os.mkdir("a", dir_fd=directory)
        inner = os.open("a", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = inner
    with os.fdopen(os.open("a", os.O_WRONLY | os.O_CREAT, dir_fd=directory), "w") as ref:
        ref.write("0" * 40)
    os.close(directory)


def submodule_with_an_empty_git_directory(repo: Repository) -> None:
    submodule_that_leads_nowhere(repo)
    (repo.path / "sub/.git").unlink()
    (repo.path / "sub/.git").mkdir()


MISSING, NONE = RepoState.MISSING, RepoState.NOT_A_REPOSITORY
REFUSED, ERROR = RepoState.REFUSED, RepoState.ERROR
MESSAGE_OF_GIT = "…"  # differs from one version of git to another
DAMAGES: dict[Damage, tuple[RepoState, str]] = {
    removed_directory: (MISSING, "Nothing exists at this path."),
    file_in_place_of_a_parent_directory: (MISSING, "Nothing exists at this path."),
    file_in_place_of_the_directory: (NONE, "The path is not a directory."),
    no_git_directory: (NONE, "The directory has no .git."),
    empty_git_directory: (
        NONE,
        "The git directory is incomplete: HEAD, objects or refs is missing.",
    ),
    no_refs: (NONE, "The git directory is incomplete: HEAD, objects or refs is missing."),
    git_file_without_a_path: (ERROR, "The .git file does not name a git directory."),
    git_file_that_leads_nowhere: (
        ERROR,
        "The git directory is stored elsewhere, and does not exist there.",
    ),
    git_link_that_leads_nowhere: (
        ERROR,
        "The .git is a symbolic link that does not lead to a directory.",
    ),
    damaged_index: (ERROR, MESSAGE_OF_GIT),
    empty_index: (ERROR, MESSAGE_OF_GIT),
    damaged_head: (ERROR, "HEAD is damaged."),
    empty_head: (ERROR, "HEAD is damaged."),
    head_that_leads_out: (REFUSED, "A name in the git directory leads outside it."),
    branch_in_very_many_directories: (
        REFUSED,
        "A name in the git directory has more than 100 levels.",
    ),
    damaged_branch: (ERROR, "A ref of the branch or of its upstream is damaged."),
    branch_that_leads_to_itself: (ERROR, "A ref of the branch or of its upstream is damaged."),
    head_at_no_valid_name: (ERROR, "HEAD is damaged."),
    head_at_a_lock_file: (ERROR, "HEAD is damaged."),
    branch_of_a_commit_that_is_not_there: (ERROR, MESSAGE_OF_GIT),
    head_at_a_tree: (ERROR, "HEAD does not refer to a commit."),
    head_at_a_blob: (ERROR, MESSAGE_OF_GIT),
    branch_at_a_tree: (ERROR, "HEAD does not refer to a commit."),
    branch_at_a_tag_of_a_tree: (ERROR, "HEAD does not refer to a commit."),
    branch_at_a_tag_of_a_blob: (ERROR, MESSAGE_OF_GIT),
    branch_of_a_bare_repository_at_a_tree: (ERROR, "HEAD does not refer to a commit."),
    branch_of_a_bare_repository_at_a_blob: (ERROR, "HEAD does not refer to a commit."),
    missing_tree: (ERROR, MESSAGE_OF_GIT),
    damaged_commit: (ERROR, MESSAGE_OF_GIT),
    damaged_config: (ERROR, "config is not a valid git configuration file."),
    newer_format: (ERROR, "The repository format is newer than the formats this service supports."),
    unknown_extension: (ERROR, "The repository uses an unsupported extension: future."),
    refs_in_another_form: (
        ERROR,
        "The repository stores its refs as reftable, which is not supported.",
    ),
    pipe_for_head: (REFUSED, "HEAD is not a regular file."),
    pipe_for_index: (REFUSED, "index is not a regular file."),
    pipe_for_config: (REFUSED, "config is not a regular file."),
    pipe_for_branch: (REFUSED, "refs/heads/main is not a regular file."),
    pipe_for_packed_refs: (REFUSED, "packed-refs is not a regular file."),
    pipe_for_alternates: (REFUSED, "info/alternates is not a regular file."),
    pipe_for_git_directory: (REFUSED, ".git is not a regular file."),
    socket_for_head: (REFUSED, "HEAD is not a regular file."),
    directory_for_index: (REFUSED, "index is not a regular file."),
    enormous_head: (ERROR, "HEAD is larger than 4,096 bytes."),
    enormous_index: (ERROR, "index is larger than 268,435,456 bytes."),
    enormous_packed_refs: (ERROR, "packed-refs is larger than 67,108,864 bytes."),
    enormous_config: (ERROR, "config is larger than 1,048,576 bytes."),
    enormous_alternates: (ERROR, "info/alternates is larger than 65,536 bytes."),
    alternates_in_a_ring: (ERROR, "The repository has more than 50 object directories."),
    submodules_nested_without_end: (
        ERROR,
        "In a submodule: The submodules are nested too deeply.",
    ),
    submodule_that_leads_nowhere: (
        ERROR,
        "In a submodule: The git directory is stored elsewhere, and does not exist there.",
    ),
    submodule_with_an_empty_git_directory: (
        ERROR,
        "In a submodule: The git directory is incomplete: HEAD, objects or refs is missing.",
    ),
}

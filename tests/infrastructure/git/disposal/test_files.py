"""Files that git does not have, in the directory of a repository that could be deleted."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.disposal import EvidenceKind, Verdict
from symphony.infrastructure.git.disposal.file_search import FileSearch, SearchBudget
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.disposal.test_disposal import disposal_of, found
from tests.support.repositories import opened

CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n"
SECRETS = EvidenceKind.IGNORED_SECRETS


def ignore(clone: Repository, *patterns: str) -> None:
    """Ignore these without a commit."""
    clone.write(".git/info/exclude", b"".join(os.fsencode(f"{each}\n") for each in patterns))


async def secrets_in(clone: Repository, git: LocalGit) -> int:
    """Return how many files would be lost; all other things are well."""
    evidence = found(await disposal_of(git, clone.path))
    assert {kind for kind, _ in evidence} <= {SECRETS}
    return sum(count for _, count in evidence)


@pytest.mark.parametrize(
    "name", [".env", "config/local/.ENV", "keys/server.pem", ".ssh/config", "caf\udce9/.env"]
)
async def test_an_ignored_file_that_looks_secret_is_unsafe(
    name: str, clone: Repository, git: LocalGit
) -> None:
    ignore(clone, f"/{Path(name).parts[0]}")
    clone.write(name)
    disposal = await disposal_of(git, clone.path)
    assert (disposal.verdict, found(disposal)) == (Verdict.UNSAFE, [(SECRETS, 1)])
    shown = os.fsencode(name).decode("utf-8", "replace")
    assert disposal.evidence[0].detail.endswith(f": {shown}.")


async def test_up_to_five_files_are_named(clone: Repository, git: LocalGit) -> None:
    ignore(clone, "*.pem")
    for number in range(7):
        clone.write(f"{number}.pem")
    (evidence,) = (await disposal_of(git, clone.path)).evidence
    assert (evidence.kind, evidence.count) == (SECRETS, 7)
    assert evidence.detail.endswith("3.pem, 4.pem, and 2 more.")


async def test_a_link_counts_and_is_not_followed(
    clone: Repository, outside: Path, git: LocalGit
) -> None:
    ignore(clone, ".env", "elsewhere")
    (outside / "server.pem").write_text("secret")
    (clone.path / ".env").symlink_to(outside / "env")
    (clone.path / "elsewhere").symlink_to(outside)
    assert await secrets_in(clone, git) == 1


async def test_a_file_that_was_committed_is_not_lost(clone: Repository, git: LocalGit) -> None:
    clone.commit(".env")
    clone.commit("keys/server.pem")
    clone.git("push", "--quiet")
    ignore(clone, ".env", "keys")
    assert await secrets_in(clone, git) == 0


async def test_other_ignored_files_are_no_evidence(clone: Repository, git: LocalGit) -> None:
    ignore(clone, "build")
    clone.write("build/main.o")
    assert await secrets_in(clone, git) == 0


def of_npm(clone: Repository) -> str:
    clone.commit("package.json", "{}")
    return "node_modules"


def of_python(clone: Repository) -> str:
    clone.write(".venv/pyvenv.cfg", "home = /usr/bin\n")
    return ".venv"


def of_cargo(clone: Repository) -> str:
    clone.write("target/CACHEDIR.TAG", CACHE_TAG)
    return "target"


@pytest.mark.parametrize("create", [of_npm, of_python, of_cargo])
async def test_in_a_directory_that_a_tool_creates_again_files_do_not_count(
    create: Callable[[Repository], str], clone: Repository, git: LocalGit
) -> None:
    name = create(clone)
    clone.git("push", "--quiet")
    ignore(clone, f"/{name}")
    clone.write(f"{name}/lib/certificates/cacert.pem")
    assert await secrets_in(clone, git) == 0
    nested = Repository.with_commits(clone.path / name / "src/part", "file")
    assert found(await disposal_of(git, clone.path)) == [(EvidenceKind.NESTED_REPOSITORY, 1)]
    shutil.rmtree(nested.git_directory)
    # With a file of the repository, the tool alone does not create it again.
    clone.write(f"{name}/kept")
    clone.git("add", "--force", f"{name}/kept")
    clone.git("commit", "--quiet", "--message=kept")
    clone.git("push", "--quiet")
    assert await secrets_in(clone, git) == 1


@pytest.mark.parametrize("name", ["node_modules/a/test.pem", "target/.env", "venv/.env"])
async def test_the_name_of_such_a_directory_alone_proves_nothing(
    name: str, clone: Repository, git: LocalGit
) -> None:
    ignore(clone, f"/{Path(name).parts[0]}")
    clone.write("target/CACHEDIR.TAG" if name.startswith("target") else name, "no tag")
    clone.write(name)
    assert await secrets_in(clone, git) == 1


@pytest.mark.parametrize("options", [(), ("--bare",)])
async def test_an_ignored_repository_inside_is_unknown(
    options: tuple[str, ...], clone: Repository, git: LocalGit
) -> None:
    ignore(clone, "/vendor")
    Repository.created(clone.path / "vendor/part", *options)
    disposal = await disposal_of(git, clone.path)
    assert disposal.verdict == Verdict.UNKNOWN
    assert found(disposal) == [(EvidenceKind.NESTED_REPOSITORY, 1)]


async def test_a_repository_among_tracked_files_is_found(clone: Repository, git: LocalGit) -> None:
    clone.commit("part/file")
    clone.git("push", "--quiet")
    Repository.created(clone.path / "part", "--quiet")
    assert found(await disposal_of(git, clone.path)) == [(EvidenceKind.NESTED_REPOSITORY, 1)]


async def test_files_of_a_test_that_look_like_a_repository_are_none(
    clone: Repository, git: LocalGit
) -> None:
    for name in ("HEAD", "objects/x", "refs/heads/main"):
        clone.commit(f"fixtures/repo.git/{name}")
    clone.git("push", "--quiet")
    assert found(await disposal_of(git, clone.path)) == []


async def test_a_worktree_inside_is_no_nested_repository(clone: Repository, git: LocalGit) -> None:
    ignore(clone, "/.worktrees")
    clone.git("worktree", "add", "--quiet", "-b", "tree", ".worktrees/tree")
    assert found(await disposal_of(git, clone.path)) == [(EvidenceKind.WORKTREE, 1)]


@pytest.mark.parametrize(
    "budget",
    [
        SearchBudget(entries=5),
        SearchBudget(directories=2),
        SearchBudget(candidates=1),
        SearchBudget(levels=1),
        SearchBudget(seconds=-1),
    ],
    ids=["entries", "directories", "candidates", "levels", "seconds"],
)
def test_beyond_a_limit_the_search_is_not_complete(budget: SearchBudget, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}/inner").mkdir(parents=True)
        (tmp_path / f"{number}/.env").touch()
    with opened(tmp_path) as top:
        FileSearch(budget, ()).run(top)
        assert budget.is_exceeded
        within = SearchBudget()
        FileSearch(within, ()).run(top)
        assert not within.is_exceeded


def test_a_directory_that_cannot_be_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data/inner").mkdir(parents=True)
    with opened(tmp_path) as top:
        open_below = type(top).open

        def refuse(directory: object, *parts: str) -> object:
            if parts == ("data",):
                raise PermissionError(13, "Permission denied")
            return open_below(top, *parts)

        monkeypatch.setattr(type(top), "open", refuse)
        search = FileSearch(SearchBudget(), ())
        search.run(top)
        assert search.unreadable == ["data"]

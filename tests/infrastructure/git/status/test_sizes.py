"""A repository of any size is inspected with limited time and memory."""

import os
import shutil
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.factories import NewGit
from tests.support.repositories import USER, running

LONG = "x" * 50_000


async def test_the_output_of_git_has_a_limit(repo: Repository, new_git: NewGit) -> None:
    for number in range(200):
        repo.write(f"file-{number}")
    git = new_git(InspectionLimits(program=ProgramOptions(max_output=1000)))
    status = await git.status(USER, str(repo.path))
    assert (status.state, status.reason) == (
        RepoState.ERROR,
        "git printed more than 1,000 bytes.",
    )
    assert running() == []


@pytest.mark.long
async def test_a_long_error_output_does_not_block_git(repo: Repository, git: LocalGit) -> None:
    """A warning for each file, together more than the 64 KiB that a pipe holds."""
    repo.git("config", "core.autocrlf", "true")
    for number in range(500):
        repo.write(f"file-{number:03}-{'x' * 200}", "line\n")
    repo.git("add", ".")
    for number in range(500):
        repo.write(f"file-{number:03}-{'x' * 200}", "changed\n")
    assert (await git.status(USER, str(repo.path))).modified == 500


@pytest.mark.long
async def test_a_configuration_that_repeats_one_setting_is_parsed_in_time(
    repo: Repository, git: LocalGit
) -> None:
    repo.write(".git/config", "[core]\n" + "bare\n" * 200_000)
    status = await git.status(USER, str(repo.path))
    assert status.reason == "The repository is bare: it has no files to compare."


@pytest.mark.long
@pytest.mark.parametrize(
    ("config", "state"),
    [
        (f'[a "{LONG}"]\n' + "".join(f"b{number}\n" for number in range(5_000)), RepoState.CLEAN),
        (
            f'[branch "main"]\nremote = {LONG}\nmerge = refs/heads/main\n'
            f'[remote "{LONG}"]\n' + "fetch = a\n" * 5_000,
            RepoState.ERROR,
        ),
    ],
    ids=["settings", "refspecs"],
)
async def test_a_long_section_name_takes_memory_once_and_not_for_each_setting(
    config: str, state: RepoState, repo: Repository, git: LocalGit
) -> None:
    repo.write(".git/config", config)
    tracemalloc.start()
    status = await git.status(USER, str(repo.path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * len(config) + (10 << 20)
    assert status.state == state


async def test_settings_of_the_branch_are_limited_by_their_bytes(
    repo: Repository, git: LocalGit
) -> None:
    """Three for each of these characters: Linux starts no program with such a variable."""
    fetch = f"refs/heads/*:refs/{'中' * 50_000}/*"
    repo.write(
        ".git/config",
        f'[branch "main"]\nremote = r\nmerge = refs/heads/main\n[remote "r"]\nfetch = {fetch}\n',
    )
    status = await git.status(USER, str(repo.path))
    assert (status.state, status.reason) == (
        RepoState.ERROR,
        "The settings of the branch and its remote exceed 65,536 bytes.",
    )


async def test_an_object_that_claims_to_be_very_large_takes_no_memory(
    repo: Repository, git: LocalGit
) -> None:
    commit = "1" * 40
    repo.write(f".git/objects/{commit[:2]}/{commit[2:]}", zlib.compress(b"commit 1000000000\0"))
    repo.write(".git/refs/heads/main", commit)
    status = await git.status(USER, str(repo.path))
    assert status.state == RepoState.ERROR
    assert "over limit" in (status.reason or "")


async def test_a_long_subject_and_author_are_cut(repo: Repository, git: LocalGit) -> None:
    long = "x" * 100_000
    repo.git("commit", "--allow-empty", "--message", long, GIT_AUTHOR_NAME=long)
    head = (await git.status(USER, str(repo.path))).head
    assert head is not None
    assert (head.subject, head.author) == ("x" * 1000, "x" * 1000)


@pytest.mark.long
async def test_an_index_with_very_many_shared_ones_beside_it_is_searched_once(
    repo: Repository, git: LocalGit
) -> None:
    """The index has no entries and an unknown extension, a hole that takes no space on the disk."""
    size = 64 << 20
    index = repo.write(".git/index", b"DIRC" + struct.pack(">IIII", 2, 0, 0x41414141, size))
    os.truncate(index, 12 + 8 + size + 20)
    for number in range(300):
        repo.write(f".git/sharedindex.{number + 1:040x}", "")
    assert (await git.status(USER, str(repo.path))).state == RepoState.DIRTY


async def test_copies_have_a_limit_for_nested_submodules_and_not_for_submodules_side_by_side(
    root: Path, new_git: NewGit
) -> None:
    for name in ("wide/a", "wide/b", "wide/c", "wide", "deep/a/b/c", "deep/a/b", "deep/a", "deep"):
        repository = Repository.with_commits(root / name, "file")
        repository.git("add", ".")
        index = repository.git_directory / "index"
        extended = index.read_bytes()[:-20] + b"AAAA" + struct.pack(">I", 1000)
        index.write_bytes(extended)
        os.truncate(index, len(extended) + 1000 + 20)
    git = new_git(InspectionLimits(max_copied=4_000))
    assert (await git.status(USER, str(root / "wide"))).state == RepoState.DIRTY
    assert (await git.status(USER, str(root / "deep/a"))).state == RepoState.DIRTY
    status = await git.status(USER, str(root / "deep"))
    assert (status.state, status.reason) == (
        RepoState.ERROR,
        "In a submodule: The files to copy exceed 4,000 bytes.",
    )


async def test_only_one_shared_index_is_copied(repo: Repository, git: LocalGit) -> None:
    repo.git("update-index", "--split-index")
    (shared,) = repo.git_directory.glob("sharedindex.*")
    other = repo.git_directory / f"sharedindex.{'1' * 40}"
    shutil.copy(shared, other)
    assert (await git.status(USER, str(repo.path))).state == RepoState.CLEAN
    with (repo.git_directory / "index").open("ab") as index:
        index.write(b"link" + struct.pack(">I", 20) + bytes.fromhex("1" * 40))
    status = await git.status(USER, str(repo.path))
    assert status.reason == "The index refers to more than one shared index."

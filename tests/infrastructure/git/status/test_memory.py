"""An inspection with limited memory, and what is reported beyond the limit."""

import asyncio
import subprocess
import tracemalloc
from pathlib import Path
from uuid import UUID

import pytest

from scripts.support.git_repository import ENVIRONMENT, Repository
from scripts.support.polling import until
from scripts.support.tree_bomb import write_tree_bomb
from symphony.domain.git.status import Directory, RepoState
from symphony.infrastructure.git.files.stopping import StopSignal
from symphony.infrastructure.git.process.program import ProgramOptions
from symphony.infrastructure.git.process.resource_limits import ResourceLimits
from symphony.infrastructure.git.status.limits import InspectionLimits
from symphony.infrastructure.git.status.local_git import LocalGit
from symphony.infrastructure.git.status.porcelain import parse_porcelain
from tests.infrastructure.git.factories import NewGit
from tests.support import processes
from tests.support.repositories import USER, running

MEMORY = 32 << 20
LIMITS = InspectionLimits(program=ProgramOptions(limits=ResourceLimits(memory=MEMORY)))
REASON = "git needs more than 32 MiB of memory. Use git itself for this repository."


@pytest.mark.long
async def test_trees_that_take_far_more_memory_than_disk_are_an_error(
    root: Path, new_git: NewGit
) -> None:
    bomb, repo = Repository.created(root / "bomb"), Repository.with_commits(root / "repo", "file")
    write_tree_bomb(bomb, 12 << 20)
    assert sum(each.stat().st_size for each in bomb.path.rglob("*") if each.is_file()) < 2 << 20
    directories = [Directory(str(bomb.path)), Directory(str(repo.path))]
    statuses = await new_git(LIMITS).statuses(USER, directories, within=60)
    failed, read = (statuses[each] for each in directories)
    assert (failed.state, failed.reason) == (RepoState.ERROR, REASON)
    assert read.state == RepoState.CLEAN
    assert running() == []


async def test_a_process_that_takes_too_much_memory_while_it_runs_is_killed(
    endless: Repository, new_git: NewGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git waits for a FIFO here, and takes more than nothing."""

    def no_limits(_limits: ResourceLimits, _process: int) -> None:
        pass

    monkeypatch.setattr(ResourceLimits, "apply", no_limits)
    options = ProgramOptions(limits=ResourceLimits(memory=1 << 20))
    git = new_git(InspectionLimits(watch_interval=0.05, program=options))
    status = await git.status(USER, str(endless.path))
    assert (status.state, status.reason) == (
        RepoState.ERROR,
        "git needs more than 1 MiB of memory. Use git itself for this repository.",
    )

    async def nothing_is_left() -> bool:
        return running() == []

    await until(nothing_is_left)


@pytest.mark.long
async def test_fifty_boards_at_once_take_no_more_memory_than_their_share(
    root: Path, new_git: NewGit
) -> None:
    bombs = [Repository.created(root / str(number)) for number in range(4)]
    for bomb in bombs:
        write_tree_bomb(bomb, 12 << 20)
    directories = [Directory(str(bomb.path)) for bomb in bombs]
    git = new_git(LIMITS.within(3 * MEMORY))
    boards = asyncio.gather(*(git.statuses(UUID(int=n), directories, within=5) for n in range(50)))
    highest = 0
    while not (await asyncio.wait([boards], timeout=0.02))[0]:
        started = [each for each in processes.children() if processes.name(each) == "git"]
        highest = max(highest, sum(map(processes.resident_memory, started)))
    assert MEMORY // 4 < highest <= 3 * MEMORY
    statuses = [each for board in boards.result() for each in board.values()]
    assert {each.reason for each in statuses} == {REASON}


def test_the_output_of_git_is_read_without_a_list_of_all_files() -> None:
    output = b"# branch.oid (initial)\0" + b"? a\0" * 5_000
    tracemalloc.start()
    assert parse_porcelain(output, StopSignal().check).untracked == 5_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50_000


def import_large_history(repo: Repository) -> None:
    """Create a commit with 20,000 files, and 20,000 commits after it."""
    files = "".join(
        f"M 100644 inline directory-{number % 99}/file-{number}\ndata 1\nx\n"
        for number in range(20_000)
    )
    commit = "commit refs/heads/main\ncommitter A <a@x> 1 +0000\ndata 1\nx\n"
    change = f"{commit}M 100644 inline file\ndata 6\n"
    changes = "".join(f"{change}{number:06}\n" for number in range(20_000))
    subprocess.run(
        ["git", "fast-import", "--quiet"],  # noqa: S607 - the git that the service uses
        cwd=repo.path,
        env=ENVIRONMENT,
        input=f"{commit}{files}{changes}".encode(),
        check=True,
    )


@pytest.mark.long
async def test_the_work_of_a_large_repository_fits_into_the_limit(
    root: Path, git: LocalGit
) -> None:
    """20,000 files and 20,000 commits, and 900,000 branches in packed-refs."""
    repo = Repository.created(root / "repo")
    import_large_history(repo)
    repo.git("reset", "--hard", "--quiet")
    head = repo.head
    with (repo.git_directory / "packed-refs").open("w") as refs:
        refs.write("# pack-refs with: peeled fully-peeled sorted \n")
        for number in range(900_000):
            refs.write(f"{head} refs/heads/b{number:07}\n")
    status = await git.status(USER, str(repo.path))
    assert (status.state, status.at_risk) == (RepoState.CLEAN, True)
    assert status.reason == "packed-refs is larger than 16,777,216 bytes."

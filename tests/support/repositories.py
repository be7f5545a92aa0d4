"""What tests need beside a repository: a user, an opened root, the git processes that run."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.files.stopping import CheckStopped, StopSignal
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from tests.support import processes

USER = UUID(int=1)
"""For whom repositories are inspected."""


@contextmanager
def opened(
    directory: Path, check_stopped: CheckStopped | None = None
) -> Generator[UntrustedDirectory]:
    """Open a directory as the git root of an inspection or search."""
    with (
        GitRoots([directory]).opened(check_stopped or StopSignal().check) as roots,
        roots.open(directory, "The directory") as top,
    ):
        yield top


def entries(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def left_by_program(directory: Path, name: str) -> str:
    """Return what a program has written into a file anywhere below; empty if there is none yet."""
    return "".join(file.read_text() for file in directory.rglob(name))


def running() -> list[str]:
    """Return the git processes that this process has started, and the shells that git started."""
    started = [each for each in processes.children() if "GIT_DIR" in processes.environment(each)]
    return [name for name in map(processes.name, started) if name in {"git", "sh", "program"}]


async def git_runs() -> bool:
    return running() == ["git"]


async def nothing_runs() -> bool:
    return running() == []

"""The committed work of a repository, read by the service and by git itself."""

from pathlib import Path

from scripts.support.git_repository import Repository
from symphony.domain.git.work import RemoteHeads, Work, WorkItem, WorkKind
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.history.memory import Memory
from symphony.infrastructure.git.history.refs import RefsOnce
from symphony.infrastructure.git.history.work import Checkout, read_work
from symphony.infrastructure.git.process.program import Program, ProgramOptions
from symphony.infrastructure.git.status.inspector import Inspector


def checkouts(repository: Repository) -> list[Checkout]:
    """Return all worktrees, as git lists them."""
    found: list[Checkout] = []
    listed = repository.git("worktree", "list", "--porcelain").split("\n\n")
    for number, text in enumerate(listed):
        lines = (line.partition(" ") for line in text.splitlines())
        fields = {name: value for name, _, value in lines}
        branch, head = fields.get("branch"), fields.get("HEAD", "")
        found.append(
            Checkout(
                None if number == 0 else fields["worktree"],
                None if branch is None else branch.removeprefix("refs/heads/"),
                head if head.strip("0") else None,
            )
        )
    return found


def work_of(
    repository: Repository,
    temporary: Path,
    synced: RemoteHeads | None = None,
    worktrees: list[Checkout] | None = None,
) -> Work:
    """Return the work of a repository, whose parent directory is the git root."""
    program = Program(ProgramOptions())
    inspector = Inspector(GitRoots([repository.path.parent]), temporary, program)
    with inspector.open(str(repository.path)) as private:
        listed = checkouts(repository) if worktrees is None else worktrees
        refs = RefsOnce(private.location.common_directory)
        return read_work(private, Memory(), listed, synced, refs)


def branch_of(work: Work, name: str) -> WorkItem:
    return next(each for each in work.items if each.kind == WorkKind.BRANCH and each.name == name)


def unpushed_by_git(repository: Repository, *tips: str) -> int:
    """Return what git counts for the tips, or for all branches, tags and worktrees."""
    if not tips:
        heads = [each.head for each in checkouts(repository) if each.head is not None]
        tips = ("--branches", "--tags", *heads)
    return int(repository.git("rev-list", "--count", *tips, "--not", "--remotes"))


def counts_by_git(repository: Repository, branch: str, upstream: str) -> tuple[int, int]:
    """Return ahead and behind."""
    counts = repository.git("rev-list", "--left-right", "--count", f"{branch}...{upstream}")
    ahead, behind = counts.split()
    return int(ahead), int(behind)

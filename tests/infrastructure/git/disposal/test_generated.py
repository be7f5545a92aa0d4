"""Random histories: no disposal is safe where git itself knows of something to lose.

With `HYPOTHESIS_PROFILE=long` in the environment there are 10,000, different in each run.
"""

import os
import shutil
from collections.abc import Collection
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from scripts.support.git_repository import Repository
from symphony.domain.base import utc_now
from symphony.domain.git.assessment import assess
from symphony.domain.git.disposal import Disposal, Verdict
from symphony.domain.git.work import Integration, RemoteHeads
from symphony.infrastructure.git.disposal.search import DisposalSearch
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.process.program import Program, ProgramOptions
from symphony.infrastructure.git.status.inspector import Inspector
from tests.infrastructure.git.history.generated_histories import (
    PACKED,
    STEPS,
    GeneratedHistory,
    Step,
)
from tests.infrastructure.git.integration.random_histories import answer_of_git

_CHECKS = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
QUICK = effort(deadline=None, max_examples=25, derandomize=True, suppress_health_check=_CHECKS)
EFFORTS = {
    "default": effort(
        deadline=None, max_examples=200, derandomize=True, suppress_health_check=_CHECKS
    ),
    "long": effort(deadline=None, max_examples=10_000, suppress_health_check=_CHECKS),
}
_INTEGRATED = {Integration.MERGED, Integration.SQUASHED}
_KINDS = ("branch", "tag", "detached", "stash", "cut off")
_FILES = ("modified", "staged", "untracked", "ignored", "secret")
# Few at a time, or nothing would ever be safe.
DANGERS = st.sets(st.sampled_from((*_KINDS, *_FILES)), max_size=1)
SYNCS = st.sampled_from(("none", "same", "moved", "deleted", "new"))
_numbers = count()


def prepare(history: GeneratedHistory, dangers: Collection[str]) -> None:
    """Remove from a history what may be lost, except for the dangers."""
    if "detached" not in dangers:
        history.detached.clear()
    if "stash" not in dangers:
        history.stash = None
    if "cut off" not in dangers:
        history.cut_off.clear()
    if "branch" not in dangers:
        for name, commit in history.branches.items():
            on_remote = history.reached(history.remotes.values())
            if commit not in on_remote:
                history.remotes[f"origin/{name}"] = commit
    if "tag" not in dangers:
        on_remote = history.reached(history.remotes.values())
        kept = {name: each for name, each in history.tags.items() if each[0] in on_remote}
        history.tags = kept


def change_files(repository: Repository, dangers: Collection[str]) -> None:
    repository.git("reset", "--quiet", "--hard")
    repository.write(".git/info/exclude", ".env\nbuild\n")
    for name in dangers:
        match name:
            case "modified":
                repository.write("root", "changed\n")
            case "staged":
                repository.write("new")
                repository.git("add", "new")
            case "untracked":
                repository.write("other/new")
            case "ignored":
                repository.write("build/main.o")
            case "secret":
                repository.write("build/.env")
            case _:
                pass


def synced_of(history: GeneratedHistory, ids: list[str], sync: str) -> RemoteHeads | None:
    """Return what a later sync saw, and update what the history says is on the remote."""
    if sync == "none":
        return None
    seen = {
        name.removeprefix("origin/"): ids[commit]
        for name, commit in history.remotes.items()
        if name.startswith("origin/")
    }
    first = next(iter(sorted(seen)), None)
    if sync == "new":
        seen["other"] = ids[0]
    elif first is not None and sync == "moved":
        seen[first] = "1" * 40
        del history.remotes[f"origin/{first}"]
    elif first is not None and sync == "deleted":
        del seen[first]
        del history.remotes[f"origin/{first}"]
    return RemoteHeads(
        remote_url="https://origin.test/x",
        branches=seen,
        default_branch=None,
        synced_at=utc_now() + timedelta(seconds=5),
    )


def disposal_of(repository: Repository, temporary: Path, synced: RemoteHeads | None) -> Disposal:
    search = DisposalSearch(synced)
    roots = GitRoots([repository.path.parent])
    inspector = Inspector(roots, temporary, Program(ProgramOptions()))
    status = inspector.inspect(str(repository.path), visit=search.visit)
    return assess(status, search.findings(status))


def losses(repository: Repository, remotes: Collection[str]) -> list[str]:
    """Return what git itself says would be lost, when these commits are on the remotes."""
    git = repository.git
    found = git("status", "--porcelain").splitlines()
    found += [each for each in git("worktree", "list").splitlines()[1:] if each]
    found += git("for-each-ref", "refs/stash").splitlines()
    found += [each for each in (".env", "build/.env") if (repository.path / each).exists()]
    excluded = [f"^{each}" for each in remotes]
    tips = git("rev-parse", "--branches", "--tags").split()
    for tip in {git("rev-parse", f"{tip}^{{commit}}") for tip in tips}:
        if git("rev-list", "--max-count=1", tip, *excluded):
            target = default_branch(repository)
            if target is None or not git("merge-base", target, tip, check=False):
                found.append(f"unrelated {tip}")
            elif answer_of_git(repository, tip, target) not in _INTEGRATED:
                found.append(f"unpushed {tip}")
    return found


def default_branch(repository: Repository) -> str | None:
    listed = repository.git(
        "for-each-ref", "--format=%(refname:strip=3) %(objectname)", "refs/remotes/origin"
    )
    heads = dict(line.split(" ") for line in listed.splitlines())
    if "main" in heads:
        return heads["main"]
    return next(iter(heads.values())) if len(heads) == 1 else None


def check(tmp_path: Path, steps: list[Step], packed: str, dangers: set[str], sync: str) -> None:
    directory = tmp_path / f"{next(_numbers)}"
    temporary = directory / "temporary"
    temporary.mkdir(parents=True)
    history = GeneratedHistory.of(steps)
    prepare(history, dangers)
    try:
        repository, _, ids = history.write(directory / "root" / "repo", packed)
        change_files(repository, dangers)
        is_moved = sync == "moved" and any(each.startswith("origin/") for each in history.remotes)
        synced = synced_of(history, ids, sync)
        disposal = disposal_of(repository, temporary, synced)
        event(disposal.verdict)
        lost = losses(repository, [ids[commit] for commit in history.remotes.values()])
        if disposal.verdict == Verdict.SAFE:
            assert lost == []
            assert not history.cut_off
            assert not is_moved
        elif disposal.verdict == Verdict.UNSAFE:
            assert lost
        else:
            assert disposal.evidence
            assert lost or history.cut_off or sync in {"moved", "deleted"} or dangers
    finally:
        shutil.rmtree(directory)


@pytest.mark.long
@QUICK
@given(STEPS, PACKED, DANGERS, SYNCS)
@example([("commit", 0, 0)], "none", set(), "none")
@example([("push", 0, 0), ("amend", 0, 0)], "none", {"branch"}, "none")  # without a merge base
def test_a_safe_disposal_loses_nothing_that_git_knows(
    tmp_path: Path, steps: list[Step], packed: str, dangers: set[str], sync: str
) -> None:
    check(tmp_path, steps, packed, dangers, sync)


@pytest.mark.long
@EFFORTS[os.environ.get("HYPOTHESIS_PROFILE", "default")]
@given(STEPS, PACKED, DANGERS, SYNCS)
def test_many_safe_disposals_lose_nothing_that_git_knows(
    tmp_path: Path, steps: list[Step], packed: str, dangers: set[str], sync: str
) -> None:
    check(tmp_path, steps, packed, dangers, sync)

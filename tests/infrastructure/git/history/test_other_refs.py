"""Refs that are neither branches, tags nor remote-tracking branches: hostile and very many."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.infrastructure.git.history import other_refs
from tests.infrastructure.git.history.works import work_of

NOTHING = "1" * 40
HOSTILE: dict[str, tuple[Callable[[Repository], object], str]] = {
    "nothing": (
        lambda repo: repo.write(".git/refs/wip/x", NOTHING),
        "What these refs have may be nowhere else: refs/wip/x.",
    ),
    "garbage": (
        lambda repo: repo.write(".git/refs/wip/x", "--all"),
        "refs/wip/x cannot be read.",
    ),
    "large": (
        lambda repo: repo.write(".git/refs/wip/x", "1" * 5000),
        "x is larger than 4,096 bytes.",
    ),
    "fifo": (
        lambda repo: os.mkfifo(repo.path / ".git/refs/x"),
        "x is not a regular file.",
    ),
    "link": (
        lambda repo: (repo.path / ".git/refs/x").symlink_to("heads/main"),
        "x is a symbolic link, or is behind one.",
    ),
    "packed": (
        lambda repo: repo.write(".git/packed-refs", f"{NOTHING} refs/--all\n"),
        "What these refs have may be nowhere else: refs/--all.",
    ),
    "not-utf-8": (
        lambda repo: repo.write(os.fsdecode(b".git/refs/wip/\xff"), NOTHING),
        "What these refs have may be nowhere else: refs/wip/\ufffd.",
    ),
    "deep": (
        lambda repo: repo.write(f".git/refs/{'x/' * 60}x", NOTHING),
        "The refs that are neither branches nor tags have too many directories.",
    ),
    "of-a-worktree": (
        lambda repo: repo.write(".git/worktrees/x/refs/y", NOTHING),
        "What these refs have may be nowhere else: worktrees/x/refs/y.",
    ),
    "many": (
        lambda repo: [repo.write(f".git/refs/wip/{each}", NOTHING) for each in range(5)],
        "What these refs have may be nowhere else: refs/wip/0, refs/wip/1, refs/wip/2 and 2 more.",
    ),
}


@pytest.mark.parametrize(("attack", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_ref_makes_only_the_risk_unknown(
    repo: Repository, copies: Path, attack: Callable[[Repository], object], reason: str
) -> None:
    attack(repo)
    work = work_of(repo, copies, worktrees=[])
    assert (work.unpushed_commits, work.at_risk) == (0, None)
    assert work.reason == reason


def test_files_that_are_no_refs_are_ignored(repo: Repository, copies: Path) -> None:
    repo.write(".git/refs/wip/x.lock", "")
    repo.write(".git/refs/wip/a b", NOTHING)
    repo.write(".git/refs/wip/loop", "ref: refs/wip/loop")
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk, work.reason) == (0, 0, None)


def test_very_many_refs_are_unknown(
    repo: Repository, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_refs, "_MAX_REFS", 10)
    lines = [f"{repo.head} refs/wip/{number}\n" for number in range(11)]
    repo.write(".git/packed-refs", "".join(lines))
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (0, None)
    assert work.reason == "More than 10 refs are neither branches nor tags."


def test_another_ref_hides_no_commit_at_risk(repo: Repository, copies: Path) -> None:
    repo.commit("c")
    repo.write(".git/refs/wip/x", NOTHING)
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (1, 1)

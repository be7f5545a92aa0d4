"""Random histories: what is read of them is what git says, or unknown with a reason.

With `HYPOTHESIS_PROFILE=long` in the environment there are 10,000, different in each run.
"""

import os
import shutil
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as effort

from symphony.domain.git.work import Integration, WorkKind
from tests.infrastructure.git.history.generated_histories import (
    PACKED,
    STEPS,
    GeneratedHistory,
    Step,
)
from tests.infrastructure.git.history.works import branch_of, counts_by_git, work_of

_CHECKS = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
QUICK = effort(deadline=None, max_examples=25, derandomize=True, suppress_health_check=_CHECKS)
EFFORTS = {
    "default": effort(
        deadline=None, max_examples=200, derandomize=True, suppress_health_check=_CHECKS
    ),
    "long": effort(deadline=None, max_examples=10_000, suppress_health_check=_CHECKS),
}
_numbers = count()


def check(tmp_path: Path, steps: list[Step], packed: str) -> None:
    directory = tmp_path / f"{next(_numbers)}"
    temporary = directory / "temporary"
    temporary.mkdir(parents=True)
    try:
        _check(GeneratedHistory.of(steps), directory / "root" / "repo", temporary, packed)
    finally:
        shutil.rmtree(directory)


def _check(history: GeneratedHistory, path: Path, temporary: Path, packed: str) -> None:
    repository, checkouts, ids = history.write(path, packed)
    work = work_of(repository, temporary, worktrees=checkouts)
    unpushed = history.unpushed()
    assert work.unpushed_commits == len(unpushed) or (
        work.unpushed_commits is None and work.reason and history.cut_off
    )
    at_risk = work.at_risk
    assert at_risk is None or (at_risk <= len(unpushed) and (at_risk > 0) <= bool(unpushed))
    if work.unpushed_commits == 0:
        assert at_risk == 0
    branches = {each.name: each for each in work.items if each.kind == WorkKind.BRANCH}
    assert set(branches) == set(history.branches)
    assert [each.committed_at for each in work.items] == sorted(
        (each.committed_at for each in work.items if each.committed_at), reverse=True
    )
    on_remote = history.reached(history.remotes.values())
    for item in work.items:
        own = history.reached([ids.index(item.head)]) - on_remote
        assert item.unpushed_commits in (len(own), None if history.cut_off else len(own))
        assert item.integrated != Integration.MERGED or not own
    tags = {name for name, (commit, _) in history.tags.items() if commit not in on_remote}
    if work.unpushed_commits is not None:
        assert {each.name for each in work.items if each.kind == WorkKind.TAG} == tags
        heads = [ids[commit] for commit in history.detached if commit not in on_remote]
        found = [each.head for each in work.items if each.kind == WorkKind.DETACHED]
        assert sorted(found) == sorted(heads)
    if history.cut_off:
        return
    heads = [each.head or "" for each in checkouts]
    listed = ("--branches", "--tags", *heads, "--not", "--remotes")
    assert work.unpushed_commits == int(repository.git("rev-list", "--count", *listed))
    for name, (remote, merge) in history.upstreams.items():
        ref = f"refs/heads/{merge}" if remote == "." else f"refs/remotes/{remote}/{merge}"
        if name in history.branches:
            item = branch_of(work, name)
            known = history.branches if remote == "." else history.remotes
            if ref.split("/", 2)[2] in known:
                assert (item.ahead, item.behind) == counts_by_git(
                    repository, f"refs/heads/{name}", ref
                )
            else:
                assert (item.ahead, item.behind) == (None, None)


@pytest.mark.long
@QUICK
@given(STEPS, PACKED)
@example([("commit", 0, 0), ("fetch", 0, 0), ("cut off", 0, 2)], "none")  # main is pushed
def test_the_work_of_a_history_is_what_git_says(
    tmp_path: Path, steps: list[Step], packed: str
) -> None:
    check(tmp_path, steps, packed)


@pytest.mark.long
@EFFORTS[os.environ.get("HYPOTHESIS_PROFILE", "default")]
@given(STEPS, PACKED)
def test_the_work_of_many_histories_is_what_git_says(
    tmp_path: Path, steps: list[Step], packed: str
) -> None:
    check(tmp_path, steps, packed)

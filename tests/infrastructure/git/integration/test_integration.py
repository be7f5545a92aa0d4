"""Whether branches are in the default branch in another form: hand-made histories."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from symphony.domain.git.work import Integration
from symphony.infrastructure.git.integration import merges
from symphony.infrastructure.git.integration.integration import integrated
from tests.infrastructure.git.integration.builder import HistoryBuilder, opened
from tests.infrastructure.git.integration.integrated_histories import HISTORIES
from tests.infrastructure.git.integration.random_histories import RandomHistory, answer_of_git


@pytest.mark.parametrize(
    ("history", "expected"), HISTORIES, ids=[history.__name__ for history, _ in HISTORIES]
)
def test_a_branch_is_integrated_only_when_its_whole_change_is_there(
    history: Callable[[HistoryBuilder], None],
    expected: Integration,
    root: Path,
    temporary: Path,
) -> None:
    build = HistoryBuilder()
    history(build)
    _, ids = build.write(root / "repo")
    tip = ids.get("tip3", ids["tip"])

    with opened(root / "repo", temporary) as private:
        assert integrated(private, [tip], ids["main"]) == {tip: expected}


@pytest.mark.long
def test_random_histories_have_the_answers_of_git(
    root: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check_random_histories(root, temporary, range(2), monkeypatch)


@pytest.mark.long
def test_many_random_histories_have_the_answers_of_git(
    root: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check_random_histories(root, temporary, range(2, 60), monkeypatch)


def _check_random_histories(
    root: Path, temporary: Path, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in seeds:
        history = RandomHistory.created(Random(seed), steps=25)  # noqa: S311
        repository, ids = history.build.write(root / f"repo{seed}")
        target = ids[history.heads["main"]]
        tips = [ids[history.heads[branch]] for branch in "abc"]
        # With and without the check that leaves out most merges of many branches.
        monkeypatch.setattr(merges, "_MIN_TO_CHECK", 0 if seed % 2 else 6)
        with opened(repository.path, temporary) as private:
            found = integrated(private, tips, target)
        expected = {tip: answer_of_git(repository, tip, target) for tip in tips}
        assert found == expected, f"seed {seed}"

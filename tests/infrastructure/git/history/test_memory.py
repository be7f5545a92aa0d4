"""What git answered about commits is remembered for as long as the objects are the same."""

import os
import time
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.status import RepoState, RepoStatus
from symphony.infrastructure.git.files.roots import GitRoots
from symphony.infrastructure.git.history.answers import Answers
from symphony.infrastructure.git.history.memory import Memories
from symphony.infrastructure.git.process.program import Program, ProgramOptions
from symphony.infrastructure.git.status.inspector import Inspector

_LONG_AGO = 10  # seconds


class Inspections:
    """Inspections of one git root that share their memories; `runs` has what git was asked last."""

    def __init__(self, root: Path, temporary: Path, memories: Memories) -> None:
        self._roots = GitRoots([root])
        self._temporary = temporary
        self._memories = memories
        self.runs = list[str]()

    def status(self, repository: Repository) -> RepoStatus:
        self.runs.clear()
        program = _Recorded(self.runs)
        inspector = Inspector(self._roots, self._temporary, program)
        return inspector.inspect(str(repository.path), memories=self._memories)


class _Recorded(Program):
    def __init__(self, runs: list[str]) -> None:
        super().__init__(ProgramOptions())
        self._runs = runs

    def stream(self, *arguments: str, **options: object) -> None:
        self._runs.append(arguments[0])
        super().stream(*arguments, **options)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def memories() -> Memories:
    return Memories()


@pytest.fixture
def inspections(root: Path, tmp_path: Path, memories: Memories) -> Inspections:
    temporary = tmp_path / "copies"
    temporary.mkdir()
    return Inspections(root, temporary, memories)


@pytest.fixture
def clone(root: Path) -> Repository:
    """A clone with two branches that were not pushed, one of which is ahead of its upstream."""
    origin = Repository.with_commits(root / "origin", "file")
    clone = origin.clone(root / "clone")
    clone.git("switch", "--quiet", "--create", "idea")
    clone.commit("idea")
    clone.git("switch", "--quiet", "main")
    clone.commit("second")
    settle(clone)
    return clone


def settle(repository: Repository) -> None:
    """Let all changes of the objects be some seconds old."""
    then = time.time() - _LONG_AGO
    objects = repository.git_directory / "objects"
    for directory in (objects, *(each for each in objects.rglob("*") if each.is_dir())):
        os.utime(directory, (then, then))


def test_the_second_inspection_asks_git_only_for_the_files(
    inspections: Inspections, clone: Repository
) -> None:
    first = inspections.status(clone)
    assert {"cat-file", "rev-list", "log"} < set(inspections.runs)
    second = inspections.status(clone)
    assert inspections.runs == ["status"]
    assert (second.unpushed_commits, second.ahead, second.at_risk) == (2, 1, True)
    assert _without_time(second) == _without_time(first)


def _without_time(status: RepoStatus) -> str:
    return repr(status).replace(repr(status.observed_at), "")


def test_what_changes_without_a_new_object_is_seen(
    inspections: Inspections, clone: Repository
) -> None:
    assert inspections.status(clone).unpushed_commits == 2
    clone.git("update-ref", "refs/remotes/origin/main", "main")
    assert inspections.status(clone).unpushed_commits == 1
    clone.git("branch", "--quiet", "--delete", "--force", "idea")
    status = inspections.status(clone)
    assert (status.unpushed_commits, status.at_risk, status.ahead) == (0, False, 0)
    clone.write("file", "changed")
    assert inspections.status(clone).state == RepoState.DIRTY


def test_an_object_that_was_added_or_lost_is_seen(
    inspections: Inspections, clone: Repository
) -> None:
    assert inspections.status(clone).reason is None
    lost = clone.git("rev-parse", "idea").strip()
    (clone.git_directory / "objects" / lost[:2] / lost[2:]).unlink()
    status = inspections.status(clone)
    assert status.unpushed_commits is None
    assert status.reason is not None
    settle(clone)
    assert inspections.status(clone).unpushed_commits is None
    assert inspections.status(clone).unpushed_commits is None  # an unknown is not remembered
    clone.git("branch", "--quiet", "--delete", "--force", "idea")
    assert inspections.status(clone).unpushed_commits == 1


def test_nothing_is_remembered_while_the_objects_change(
    inspections: Inspections, clone: Repository
) -> None:
    clone.commit("third")  # another commit in the same moment might not change a time
    inspections.status(clone)
    assert inspections.status(clone).unpushed_commits == 3
    assert "rev-list" in inspections.runs


def test_nothing_is_remembered_of_a_shallow_clone(
    inspections: Inspections, root: Path, clone: Repository
) -> None:
    shallow = root / "shallow"
    clone.git("clone", "--quiet", "--depth=1", f"file://{clone.path}", str(shallow))
    repository = Repository(shallow)
    repository.git("branch", "old", "HEAD")
    settle(repository)
    inspections.status(repository)
    inspections.status(repository)
    assert "log" in inspections.runs


@pytest.mark.parametrize(("limit", "forgotten"), [(3, {"rev-list"}), (1_000, set[str]())])
def test_the_repository_that_was_not_inspected_for_the_longest_time_is_forgotten(
    root: Path, tmp_path: Path, clone: Repository, limit: int, forgotten: set[str]
) -> None:
    other = clone.clone(root / "other")
    settle(other)
    inspections = Inspections(root, tmp_path, Memories(limit))
    for repository in (clone, clone, other, other, clone):
        inspections.status(repository)
    assert {"rev-list"}.intersection(inspections.runs) == forgotten


def test_only_lasting_answers_are_remembered_and_only_missing_ones_asked() -> None:
    answers = Answers[str, int](lambda answer: answer > 0)
    asked = list[list[str]]()

    def ask(questions: list[str]) -> dict[str, int]:
        asked.append(questions)
        return {each: len(each) for each in questions if each != "?"}

    assert answers.each(["a", "", "?"], ask) == {"a": 1, "": 0}
    assert answers.each(["", "a", "bb"], ask) == {"": 0, "a": 1, "bb": 2}
    assert asked == [["a", "", "?"], ["", "bb"]]
    assert len(answers) == 2

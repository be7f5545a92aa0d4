"""What keeps the service from telling whether a branch is integrated, and what does not."""

import time
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.domain.git.work import Integration
from symphony.infrastructure.git.files.stopping import Stopped
from symphony.infrastructure.git.integration import changes, commit_graph, merges
from symphony.infrastructure.git.integration.integration import integrated
from tests.infrastructure.git.integration import integrated_histories as histories
from tests.infrastructure.git.integration.builder import HistoryBuilder, lines, opened

UNKNOWN, SQUASHED, NO = Integration.UNKNOWN, Integration.SQUASHED, Integration.NO


def answer(
    repository: Repository, ids: dict[str, str], temporary: Path, tip: str = "tip"
) -> Integration:
    with opened(repository.path, temporary) as private:
        return integrated(private, [ids[tip]], ids["main"])[ids[tip]]


@pytest.fixture
def build() -> HistoryBuilder:
    return HistoryBuilder()


def test_no_tips(root: Path, temporary: Path, build: HistoryBuilder) -> None:
    build.commit("main", {})
    repository, ids = build.write(root / "repo")
    with opened(repository.path, temporary) as private:
        assert integrated(private, [], ids["main"]) == {}


def test_one_run_answers_for_many_tips(root: Path, temporary: Path, build: HistoryBuilder) -> None:
    build.commit("base", {"f": lines()})
    expected = {build.commit("m1", {"f": lines((0, "main"))}, "base"): Integration.MERGED}
    files = {"f": lines((0, "main"))}
    last = "m1"
    for number in range(2, 8):
        own = lines((0, "main"), (5 * number, "own"))
        expected[build.commit(f"no{number}", {"f": own, "new": "n"}, "base")] = NO
        squashed = build.commit(f"yes{number}", {"f": lines(), f"n{number}": ""}, "base")
        expected[squashed] = SQUASHED
        files[f"n{number}"] = ""
        last = build.commit(f"m{number}", files, last)
    repository, ids = build.write(root / "repo")
    with opened(repository.path, temporary) as private:
        found = integrated(private, [ids[name] for name in expected], ids[last])
    assert {name: found[ids[name]] for name in expected} == expected


def test_dates_that_run_backwards(root: Path, temporary: Path) -> None:
    build = HistoryBuilder(seconds=-60)
    histories.rebased(build)
    repository, ids = build.write(root / "repo")
    assert answer(repository, ids, temporary) == SQUASHED
    assert answer(repository, ids, temporary, "base") == Integration.MERGED


def test_a_repository_with_sha256(root: Path, temporary: Path, build: HistoryBuilder) -> None:
    histories.rewritten_from_the_root(build)
    repository, ids = build.write(root / "repo", "--object-format=sha256")
    assert answer(repository, ids, temporary) == SQUASHED


def test_a_shallow_clone_is_unknown(root: Path, temporary: Path, build: HistoryBuilder) -> None:
    histories.squashed(build)
    repository, ids = build.write(root / "repo")
    (repository.git_directory / "shallow").write_text(f"{ids['base']}\n")
    assert answer(repository, ids, temporary) == UNKNOWN
    assert answer(repository, ids, temporary, "base") == Integration.MERGED


@pytest.mark.parametrize("setting", ["remote.origin.promisor", "remote.origin.partialCloneFilter"])
def test_a_partial_clone_is_unknown(
    root: Path, temporary: Path, build: HistoryBuilder, setting: str
) -> None:
    histories.squashed(build)
    repository, ids = build.write(root / "repo")
    repository.git("config", setting, "true")
    assert answer(repository, ids, temporary) == UNKNOWN


def test_too_many_tips_are_unknown(root: Path, temporary: Path, build: HistoryBuilder) -> None:
    histories.squashed(build)
    repository, ids = build.write(root / "repo")
    tips = [ids["tip"], *(f"{number:040x}" for number in range(2_000))]
    with opened(repository.path, temporary) as private:
        assert set(integrated(private, tips, ids["main"]).values()) == {UNKNOWN}


def test_without_time_everything_is_unknown(
    root: Path, temporary: Path, build: HistoryBuilder
) -> None:
    histories.squashed(build)
    repository, ids = build.write(root / "repo")
    with opened(repository.path, temporary) as private:
        found = integrated(private, [ids["tip"]], ids["main"], time.monotonic())
        assert found == {ids["tip"]: UNKNOWN}


def test_a_stop_ends_it(root: Path, temporary: Path, build: HistoryBuilder) -> None:
    histories.squashed(build)
    repository, ids = build.write(root / "repo")
    with opened(repository.path, temporary) as private:
        private.program.stop()
        with pytest.raises(Stopped):
            integrated(private, [ids["tip"]], ids["main"])


def test_only_branches_beyond_the_limit_of_commits_are_unknown(
    root: Path, temporary: Path, build: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.commit("old", {"f": lines()})
    build.commit("old-tip", {"f": "o\n"}, "old")
    build.commit("orphan", {"g": "o\n"})
    previous = "old"
    for number in range(20):
        previous = build.commit(f"m{number}", {"f": lines((number, "m"))}, previous)
    build.commit("tip", {"f": "new\n"}, previous)
    build.commit("yes", {"f": "changed\n"}, "m18")
    build.commit("main", {"f": "changed\n"}, previous)
    repository, ids = build.write(root / "repo")
    monkeypatch.setattr(commit_graph, "_MAX_COMMITS", 10)
    expected = {"tip": NO, "old-tip": UNKNOWN, "orphan": UNKNOWN, "m19": Integration.MERGED}
    with opened(repository.path, temporary) as private:
        found = integrated(private, [ids[name] for name in expected], ids["main"])
    assert {name: found[ids[name]] for name in expected} == expected


@pytest.mark.parametrize("limit", ["_MAX_TEXT", "_MAX_RECORD"])
def test_changes_that_are_too_large_are_unknown(
    root: Path,
    temporary: Path,
    build: HistoryBuilder,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines((20, "x" * 1000))}, "base")
    build.commit("m1", {"f": lines((0, "first"))}, "base")
    build.commit("m2", {"f": lines((0, "first"), (20, "x" * 1000))}, "m1")
    build.commit("main", {"f": lines((0, "first"))}, "m2")
    repository, ids = build.write(root / "repo")
    assert answer(repository, ids, temporary) == SQUASHED
    monkeypatch.setattr(changes, limit, 1000)
    assert answer(repository, ids, temporary) == UNKNOWN


def test_too_many_conflicts_are_unknown(
    root: Path, temporary: Path, build: HistoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.commit("base", {"f": lines()})
    build.commit("tip", {"f": lines((20, "x"))}, "base")
    build.commit("main", {"f": lines((20, "y"))}, "base")
    repository, ids = build.write(root / "repo")
    assert answer(repository, ids, temporary) == NO
    monkeypatch.setattr(merges, "_MAX_OUTPUT", 10)
    assert answer(repository, ids, temporary) == UNKNOWN


@pytest.mark.parametrize("missing", ["main^{tree}", "main:f", "tip^{tree}", "tip:f", "base", "tip"])
def test_missing_objects_are_unknown(
    root: Path, temporary: Path, build: HistoryBuilder, missing: str
) -> None:
    histories.squashed_beside_a_far_edit(build)
    repository, ids = build.write(root / "repo")
    name = repository.git("rev-parse", missing)
    (repository.git_directory / "objects" / name[:2] / name[2:]).unlink()
    assert answer(repository, ids, temporary) == UNKNOWN


def test_nothing_of_the_repository_runs_or_decides(
    root: Path, temporary: Path, outside: Path, build: HistoryBuilder
) -> None:
    attributes = "* diff=evil merge=evil filter=evil -text\n"
    for each in ("base", "tip"):
        text = lines(histories.B) if each == "tip" else lines()
        parents = ("base",) if each == "tip" else ()
        build.commit(each, {"f": text, "g": text, ".gitattributes": attributes}, *parents)
    build.commit("m1", {"f": lines(histories.FAR), ".gitattributes": attributes}, "base")
    build.commit("m2", {"f": lines(histories.FAR, histories.B)}, "m1")
    build.commit("main", {"f": lines(histories.C)}, "m2")
    repository, ids = build.write(root / "repo")
    program = f"touch {outside}/ran; true"
    for setting in (
        "diff.evil.command", "diff.evil.textconv", "diff.external", "merge.evil.driver",
        "filter.evil.clean", "filter.evil.smudge", "core.fsmonitor", "core.pager",
    ):  # fmt: skip
        repository.git("config", setting, program)
    (repository.git_directory / "info").mkdir(exist_ok=True)
    (repository.git_directory / "info/attributes").write_text(attributes)
    (repository.path / ".gitattributes").write_text(attributes)
    before = repository.snapshot()

    assert answer(repository, ids, temporary) == NO

    assert not any(outside.iterdir())
    assert repository.snapshot() == before


def test_attributes_do_not_decide_how_files_are_merged(
    root: Path, temporary: Path, build: HistoryBuilder
) -> None:
    """With `merge=ours`, which git would have to be configured for, or `union`, all would merge."""
    build.commit("base", {"f": "a\nb\nc\n"})
    build.commit("tip", {"f": "a\nc\n"}, "base")
    build.commit("main", {"f": "a\nB\nc\n"}, "base")
    repository, ids = build.write(root / "repo")
    (repository.git_directory / "info").mkdir(exist_ok=True)
    (repository.git_directory / "info/attributes").write_text("* merge=union\n")
    merged = repository.git("merge-tree", "--write-tree", ids["main"], ids["tip"])
    assert merged == repository.git("rev-parse", f"{ids['main']}^{{tree}}")

    assert answer(repository, ids, temporary) == NO


def test_what_git_writes_is_removed(root: Path, temporary: Path, build: HistoryBuilder) -> None:
    histories.main_renamed_the_file(build)
    repository, ids = build.write(root / "repo")
    with opened(repository.path, temporary) as private:
        before = sorted(private.path.rglob("*"))
        assert integrated(private, [ids["tip"]], ids["main"]) == {ids["tip"]: SQUASHED}
        assert sorted(private.path.rglob("*")) == before

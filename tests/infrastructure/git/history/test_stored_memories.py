"""What git answered is remembered in a file, for the next process."""

import gzip
import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.infrastructure.git.history.memory import Memories, Memory
from symphony.infrastructure.git.history.stored_memories import read_memories, write_memories
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.history.test_memory import Inspections
from tests.support.repositories import USER

Damage = Callable[[bytes], bytes]
_LONG_AGO = 10  # seconds
_HISTORY = {"rev-list", "cat-file", "diff-tree", "merge-tree", "log"}


@pytest.fixture
def repository(repo: Repository) -> Repository:
    """A repository with all kinds of answers: unpushed, squashed, ahead and behind."""
    repo.git("checkout", "--quiet", "-b", "squashed")
    repo.commit("squashed")
    repo.git("checkout", "--quiet", "main")
    repo.commit("other")
    repo.commit("squashed")
    repo.git("push", "--quiet")
    repo.git("checkout", "--quiet", "-b", "unpushed")
    repo.commit("unpushed")
    repo.git("branch", "--set-upstream-to=origin/main")
    long_ago = time.time() - _LONG_AGO
    for each in [repo.git_directory / "objects", *(repo.git_directory / "objects").rglob("*")]:
        os.utime(each, (long_ago, long_ago))
    return repo


def stored(memories: Memories) -> bytes:
    file = io.BytesIO()
    write_memories(memories, file)
    return file.getvalue()


def read(content: bytes, directory: Path) -> Memories:
    file = directory / "memories"
    file.write_bytes(content)
    return read_memories(file)


def test_another_process_asks_git_nothing_about_the_same_commits(
    root: Path, copies: Path, tmp_path: Path, repository: Repository
) -> None:
    first, memories = None, Memories()
    for _ in range(2):
        inspections = Inspections(root, copies, memories)
        status = inspections.status(repository)
        assert status.unpushed_commits == 2
        if first is None:
            first = status
            assert _HISTORY & set(inspections.runs)
        else:
            assert inspections.runs == ["status"]
            assert status.work == first.work
            assert (status.head, status.at_risk) == (first.head, first.at_risk)
        memories = read(stored(memories), tmp_path)
        assert len(memories.all()) == 1


def test_the_files_are_compared_in_each_inspection(
    root: Path, copies: Path, tmp_path: Path, repository: Repository
) -> None:
    memories = Memories()
    assert Inspections(root, copies, memories).status(repository).modified == 0
    repository.write("a", "edited")
    repository.write("new")
    status = Inspections(root, copies, read(stored(memories), tmp_path)).status(repository)
    assert (status.modified, status.untracked, status.at_risk) == (1, 1, True)


@pytest.mark.long
def test_a_new_commit_is_seen(
    root: Path, copies: Path, tmp_path: Path, repository: Repository
) -> None:
    memories = Memories()
    before = Inspections(root, copies, memories).status(repository)
    repository.commit("later")
    after = Inspections(root, copies, read(stored(memories), tmp_path)).status(repository)
    assert before.unpushed_commits is not None
    assert after.unpushed_commits == before.unpushed_commits + 1


async def test_root_commits_are_remembered(
    root: Path, tmp_path: Path, repository: Repository, temporary: Path
) -> None:
    memories = Memories()
    git = LocalGit([root], memories=memories)
    _, identity = await git.identified_status(USER, str(repository.path))
    git.close()
    (kept,) = read(stored(memories), tmp_path).all()
    assert list(kept.memory.root_commits.known().values()) == [identity.root_commits]
    assert len(identity.root_commits) == 1


def nothing(_: bytes) -> bytes:
    return b""


def something_else(_: bytes) -> bytes:
    return b"no gzip"


def half(content: bytes) -> bytes:
    return content[:-20]


def another_list(_: bytes) -> bytes:
    return gzip.compress(b"[]\n")


def no_json(_: bytes) -> bytes:
    return gzip.compress(b"{\n")


def without_members(_: bytes) -> bytes:
    return gzip.compress(b'{"repository": [1, 2]}\n')


def with_a_number(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content).replace(b'"heads":[', b'"heads":[1,'))


def with_an_unknown_word(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content).replace(b'"no"', b'"perhaps"'))


@pytest.mark.long
@pytest.mark.parametrize(
    "damage",
    [
        nothing,
        something_else,
        half,
        another_list,
        no_json,
        without_members,
        with_a_number,
        with_an_unknown_word,
    ],
)
def test_of_a_damaged_file_nothing_is_believed(
    root: Path, copies: Path, tmp_path: Path, repository: Repository, damage: Damage
) -> None:
    memories = Memories()
    Inspections(root, copies, memories).status(repository)
    assert len(read(stored(memories), tmp_path).all()) == 1
    assert read(damage(stored(memories)), tmp_path).all() == []


def test_each_kind_of_answer_is_stored(root: Path, copies: Path, repository: Repository) -> None:
    memories = Memories()
    Inspections(root, copies, memories).status(repository)
    (line,) = gzip.decompress(stored(memories)).splitlines()
    assert json.loads(line).keys() == {
        *("repository", "times"),
        *(each.name for each in fields(Memory)),
    }


def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    assert read_memories(tmp_path / "missing").all() == []

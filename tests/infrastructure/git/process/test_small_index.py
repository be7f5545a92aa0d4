"""A small index is read as git reads it, or left to git."""

import hashlib
import random
import subprocess
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from scripts.support.git_repository import ENVIRONMENT, Repository
from symphony.infrastructure.git.process.small_index import MAX_SIZE, read_small_index

_ID = "1" * 40
_HEADER, _CHECKSUM = 12, 20  # bytes


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository.created(tmp_path / "repo")


def index_of(repo: Repository) -> Path:
    return repo.git_directory / "index"


def listed_by_git(repo: Repository) -> bytes:
    """Raises: CalledProcessError when git refuses the index."""
    return subprocess.run(
        ["git", "ls-files", "-v", "--stage", "-z"],  # noqa: S607 - the git of the service
        cwd=repo.path,
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
    ).stdout


def add(repo: Repository, *lines: str) -> None:
    """Add entries, each with a mode, an id, a stage and a path, whether or not files exist."""
    entries = repo.path / "entries"
    entries.write_bytes("".join(f"{line}\0" for line in lines).encode())
    repo.git("-c", "alias.add-entries=!git update-index -z --index-info < entries", "add-entries")


def test_all_kinds_of_entries(repo: Repository) -> None:
    add(
        repo,
        *(f"100644 {_ID} 0\t{path}" for path in ("a", "b c", "d\te", "é", "x" * 300, "dir/file")),
        *(f"100755 {_ID} 0\ty{'z' * length}" for length in range(10)),
        f"120000 {_ID} 0\tlink",
        f"160000 {_ID} 0\tsubmodule",
        *(f"100644 {_ID} {stage}\tin conflict" for stage in (1, 2, 3)),
    )
    repo.git("update-index", "--assume-unchanged", "a", "link")
    found = read_small_index(index_of(repo), 20)
    assert found is not None
    assert found == listed_by_git(repo)
    assert found.count(b"\0") == 21
    assert found.startswith(b"h 100644 ")


def test_a_path_that_is_longer_than_its_stored_length(repo: Repository) -> None:
    add(repo, f"100644 {_ID} 0\t{'long/' * 900}file", f"100644 {_ID} 0\tz")
    assert read_small_index(index_of(repo), 20) == listed_by_git(repo)


def test_an_index_with_trees_and_solved_conflicts(repo: Repository) -> None:
    repo.commit("first")
    repo.commit("second")
    assert b"TREE" in index_of(repo).read_bytes()
    assert read_small_index(index_of(repo), 20) == listed_by_git(repo)


def test_an_index_with_sha256(tmp_path: Path) -> None:
    repo = Repository.created(tmp_path / "repo", "--object-format=sha256")
    repo.commit("file")
    assert read_small_index(index_of(repo), 32) == listed_by_git(repo)
    assert read_small_index(index_of(repo), 20) is None


@pytest.mark.parametrize(
    "command",
    [
        ("update-index", "--index-version", "4"),
        ("update-index", "--skip-worktree", "file"),
        ("update-index", "--split-index"),
        ("rm", "--quiet", "--cached", "file"),
    ],
)
def test_git_reads_another_format(repo: Repository, command: tuple[str, ...]) -> None:
    repo.commit("file")
    repo.write("new", "text")
    if command[0] == "rm":
        repo.git("add", "--intent-to-add", "new")
    repo.git(*command)
    assert read_small_index(index_of(repo), 20) is None


def test_git_reads_a_large_index(repo: Repository) -> None:
    add(repo, *(f"100644 {_ID} 0\t{number:08}" for number in range(MAX_SIZE // 72 + 1)))
    assert index_of(repo).stat().st_size > MAX_SIZE
    assert read_small_index(index_of(repo), 20) is None


@pytest.mark.parametrize("content", [b"", b"DIRC", b"DIRC" + b"\xff" * 100, bytes(64)])
def test_what_is_no_index_is_left_to_git(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index").write_bytes(content)
    assert read_small_index(tmp_path / "index", 20) is None


def _changed(content: bytes, chance: random.Random) -> bytes:
    """Return an index with some other bytes, and a checksum that is right."""
    body = bytearray(content[:-_CHECKSUM])
    for _ in range(chance.randint(1, 3)):
        body[chance.randrange(_HEADER - 4, len(body))] = chance.choice(
            (0, 1, 0x40, 0x80, 0xFF, chance.randrange(256))
        )
    return bytes(body) + hashlib.sha1(body).digest()  # noqa: S324 - as git does


def _agrees(repo: Repository, seed: int) -> bool:
    """Return whether an index with changed bytes is read as git reads it, or left to git."""
    content = _changed((repo.path / "original").read_bytes(), random.Random(seed))  # noqa: S311
    index_of(repo).write_bytes(content)
    found = read_small_index(index_of(repo), 20)
    if found is None:
        return False
    try:
        assert found == listed_by_git(repo), seed
    except CalledProcessError:
        return False  # git refuses it: nothing is reported of it
    return True


@pytest.mark.parametrize(
    "count", [40, pytest.param(3_000, marks=pytest.mark.long)], ids=["some", "many"]
)
def test_a_crafted_index_is_read_as_git_reads_it_or_left_to_git(
    repo: Repository, count: int
) -> None:
    paths = ("a", "dir/b", "dir/c", "long-name", "z")
    add(repo, *(f"100644 {_ID} 0\t{path}" for path in paths))
    (repo.path / "original").write_bytes(index_of(repo).read_bytes())
    read = sum(_agrees(repo, seed) for seed in range(count))
    assert read > count // 4

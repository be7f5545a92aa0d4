"""What a reporter finds and inspects, as its user."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.client.errors import ClientError
from symphony.client.reporting import inspection
from symphony.client.reporting.inspection import find_repositories, inspect_all, real_roots
from symphony.domain.git.status import RepoState
from symphony.domain.machines.checkouts import Checkout
from symphony.infrastructure.git.discovery.finder import SearchLimits
from symphony.infrastructure.git.history.memory import Memories
from symphony.infrastructure.git.status.inspector import Inspector


async def reported(*roots: Path, memories: Memories | None = None) -> dict[str, Checkout]:
    """Return the checkouts by the names of their directories."""
    found = await find_repositories(real_roots(roots))
    checkouts = await inspect_all(real_roots(roots), found, memories or Memories())
    assert sorted(each.path for each in checkouts) == [each.path for each in checkouts]
    return {Path(each.path).name: each for each in checkouts}


def content(directory: Path) -> Mapping[str, tuple[int, str]]:
    """Return the modification times and contents of all files and directories."""
    return {
        str(each): (
            each.lstat().st_mtime_ns,
            hashlib.sha256(each.read_bytes()).hexdigest() if each.is_file() else "",
        )
        for each in [directory, *directory.rglob("*")]
    }


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """git's settings of a user that others can write are refused."""
    before = os.umask(0o022)
    yield
    os.umask(before)


async def test_all_repositories_below_the_roots_are_reported(root: Path, tmp_path: Path) -> None:
    origin = Repository.with_commits(root / "engine", "file")
    origin.clone(root / "deeply/nested/clone")
    origin.git("worktree", "add", "--quiet", str(root / "linked"))
    Repository.created(root / "bare.git", "--bare")
    other = tmp_path / "other"
    Repository.with_commits(other / "elsewhere", "file")
    Repository.with_commits(root / "engine/node_modules/package", "file")
    checkouts = await reported(root, other, root)
    assert set(checkouts) == {"engine", "clone", "linked", "bare.git", "elsewhere"}
    clone, engine = checkouts["clone"], checkouts["engine"]
    assert [(each.name, each.url) for each in clone.remotes] == [("origin", origin.path.as_uri())]
    assert [each.head for each in clone.remote_heads] == [origin.head]
    assert clone.root_commits == engine.root_commits != ()
    assert engine.status.at_risk is True


async def test_no_file_of_a_repository_is_changed(root: Path) -> None:
    origin = Repository.with_commits(root / "origin", "a", "b")
    repo = origin.clone(root / "repo")
    repo.git("worktree", "add", "--quiet", str(root / "linked"))
    repo.write("a", "stashed")
    repo.git("stash", "--quiet")
    repo.write("b", "edited")
    repo.write("new")
    os.utime(repo.path / "a")  # git would write the index to remember this time
    before = content(root)
    memories = Memories()
    for _ in range(2):
        await reported(root, memories=memories)
    assert content(root) == before


async def test_the_ignored_files_and_line_endings_of_the_user_count(
    repo: Repository, root: Path, home: Path
) -> None:
    repo.write("notes.swp")
    repo.git("config", "core.autocrlf", "false")
    repo.commit("lines", "one\r\n")
    assert (await reported(root))["repo"].status.untracked == 1
    (home / ".gitconfig").write_text("[core]\n\texcludesFile = ~/ignored\n\tautocrlf = true\n")
    (home / "ignored").write_text("*.swp\n")
    assert (await reported(root))["repo"].status.untracked == 0


async def test_a_git_configuration_that_cannot_be_used_is_an_error(
    repo: Repository, root: Path, home: Path
) -> None:
    assert repo.path.exists()
    (home / ".gitconfig").write_text("[core\n")
    with pytest.raises(ClientError, match=r"Your git configuration cannot be used: .*gitconfig"):
        await reported(root)


async def test_an_edit_after_a_report_is_in_the_next_one(repo: Repository, root: Path) -> None:
    """No cheap fact of a git directory changes with an edited or a new file."""
    memories = Memories()
    assert (await reported(root, memories=memories))["repo"].status.state == RepoState.CLEAN
    stored = content(repo.git_directory)
    file = repo.path / "file"
    times = file.stat()
    file.write_text("changed\n")  # of the same size
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    repo.write("deep/down/new")
    assert content(repo.git_directory) == stored
    status = (await reported(root, memories=memories))["repo"].status
    assert (status.state, status.modified, status.untracked) == (RepoState.DIRTY, 1, 1)


async def test_a_repository_that_breaks_its_inspection_does_not_prevent_the_others(
    root: Path, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("damaged", "failing"):
        Repository.with_commits(root / name, "file")
    (root / "damaged/.git/config").write_text("[core\n")
    inspect = Inspector.inspect

    def failing(inspector: Inspector, path: str, *others: object) -> object:
        if path.endswith("failing"):
            raise RuntimeError
        return inspect(inspector, path, *others)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Inspector, "inspect", failing)
    checkouts = await reported(root)
    states = {name: each.status.state for name, each in checkouts.items()}
    assert states == {
        "damaged": RepoState.ERROR,
        "failing": RepoState.ERROR,
        "repo": RepoState.CLEAN,
    }
    assert repo.path.exists()


async def test_paths_that_are_no_text_are_reported_as_text(root: Path) -> None:
    for name in (b"caf\xe9", b"caf\xe8", "café".encode()):
        repository = Repository.with_commits(root / "new", "file")
        os.rename(repository.path, os.fsencode(root) + b"/" + name)
    checkouts = await reported(root)
    assert set(checkouts) == {"caf\ufffd", "caf\ufffd (2)", "café"}
    assert all(each.root_commits for each in checkouts.values())


@pytest.mark.parametrize("name", ["missing", "file"])
async def test_a_root_that_is_no_directory_is_refused(root: Path, name: str) -> None:
    (root / "file").write_text("")
    with pytest.raises(ClientError, match="would disappear from the board"):
        await reported(root, root / name)


async def test_a_root_that_cannot_be_searched_completely_is_refused(
    root: Path, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repo.path.exists()
    monkeypatch.setattr(inspection, "_SEARCH", SearchLimits(max_directories=2))
    for number in range(3):
        (root / f"directory-{number}").mkdir()
    with pytest.raises(
        ClientError, match=r"or 2 directories, or cannot be .* Nothing was reported"
    ):
        await reported(root)


async def test_without_landlock_a_root_that_others_can_write_is_refused(
    root: Path, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repo.path.exists()
    monkeypatch.setattr(inspection, "detect_landlock", lambda: None)
    os.chmod(root, 0o777)  # noqa: S103
    with pytest.raises(ClientError, match="is writable by other users, and this system cannot"):
        await reported(root)


async def test_a_repository_that_vanishes_meanwhile_is_missing(
    root: Path, repo: Repository
) -> None:
    paths: Sequence[str] = await find_repositories([root])
    shutil.rmtree(repo.path)
    (checkout,) = await inspect_all([root], paths, Memories())
    assert checkout.status.state == RepoState.MISSING

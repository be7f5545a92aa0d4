"""Discovery finds every repository in a directory, and nothing outside the git root."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.domain.discovery import FoundRepository, RepoKind, SearchResult
from symphony.domain.errors import Invalid
from symphony.domain.repos import RegisteredRepo
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.status.local_git import LocalGit
from tests.infrastructure.git.corpus import configuration, hostile_links, hostile_programs
from tests.infrastructure.git.corpus.damages import DAMAGES, Damage
from tests.infrastructure.git.corpus.hostile import SECRET, Attack, HostileRepository
from tests.support.repositories import USER, git_runs, running

BARE, REPOSITORY = RepoKind.BARE, RepoKind.REPOSITORY
SUBMODULE, WORKTREE = RepoKind.SUBMODULE, RepoKind.WORKTREE


@pytest.fixture
def finder(root: Path) -> Iterator[LocalFinder]:
    finder = LocalFinder([root])
    yield finder
    finder.close()


async def found(
    finder: LocalFinder, directory: Path, max_depth: int = 20, *registered: RegisteredRepo
) -> dict[str, FoundRepository]:
    """Return what is found, by the path below the directory."""
    search = await finder.find(USER, str(directory), max_depth, registered)
    assert not search.truncated
    assert running() == []
    paths = [each.path for each in search.found]
    assert paths == sorted(paths)
    return {str(Path(each.path).relative_to(directory)): each for each in search.found}


async def kinds(finder: LocalFinder, directory: Path, max_depth: int = 20) -> dict[str, RepoKind]:
    return {path: each.kind for path, each in (await found(finder, directory, max_depth)).items()}


async def refused(finder: LocalFinder, path: str) -> str:
    with pytest.raises(Invalid) as refusal:
        await finder.find(USER, path, 1, [])
    (error,) = refusal.value.errors
    assert error.field == "root"
    assert path not in error.detail
    return error.code


async def test_a_git_directory_of_links_is_found_with_its_remote(
    root: Path, finder: LocalFinder
) -> None:
    origin = Repository.with_commits(root / "origin", "file")
    kernel = configuration.git_directory_of_links(origin)
    kernel.git("remote", "set-url", "origin", "https://git.example.org/kernel")
    bare = origin.clone(root / "bare", "--bare")
    (bare.path / "objects").rename(root / "objects")
    (bare.path / "objects").symlink_to("../objects")
    everything = await found(finder, root)
    assert {name: each.kind for name, each in everything.items()} == {
        "bare": BARE,
        "kernel": REPOSITORY,
        "origin": REPOSITORY,
    }
    assert everything["kernel"].remote_url == "https://git.example.org/kernel"


async def test_each_kind_of_repository_is_found(root: Path, finder: LocalFinder) -> None:
    engine = Repository.with_commits(root / "engine", "file")
    engine.git("worktree", "add", "--quiet", str(root / "trees/engine"))
    engine.git("submodule", "--quiet", "add", engine.path.as_uri(), "parts/gear")
    engine.git("worktree", "add", "--quiet", str(engine.path / "inner"))
    Repository.created(engine.path / "parts/nested")
    bare = engine.clone(root / "bare/engine.git", "--bare")
    bare.git("worktree", "add", "--quiet", "--detach", str(root / "bare/tree"))
    (root / "git-directories").mkdir()
    Repository.created(root / "elsewhere", f"--separate-git-dir={root}/git-directories/elsewhere")
    (root / "plain/objects/refs").mkdir(parents=True)
    assert await kinds(finder, root) == {
        "engine": REPOSITORY,
        "trees/engine": WORKTREE,
        "engine/parts/gear": SUBMODULE,
        "engine/inner": WORKTREE,
        "engine/parts/nested": REPOSITORY,
        "bare/engine.git": BARE,
        "bare/tree": WORKTREE,
        "elsewhere": REPOSITORY,
    }


async def test_a_git_directory_that_names_its_working_tree_is_a_repository(
    root: Path, finder: LocalFinder
) -> None:
    """Of dotfiles (yadm, vcsh), for example."""
    dotfiles = Repository.created(root / "dotfiles.git", "--bare")
    dotfiles.git("config", "core.bare", "false")
    dotfiles.git("config", "core.worktree", "../home")
    assert await kinds(finder, root) == {"dotfiles.git": REPOSITORY}


async def test_a_submodule_of_a_worktree_is_a_submodule(root: Path, finder: LocalFinder) -> None:
    gear = Repository.with_commits(root / "gear", "file")
    engine = Repository.created(root / "engine")
    engine.git("submodule", "--quiet", "add", gear.path.as_uri(), "gear")
    engine.git("commit", "--quiet", "--message=Gear")
    engine.git("worktree", "add", "--quiet", str(root / "tree"))
    Repository(root / "tree").git("submodule", "--quiet", "update", "--init")
    result = await kinds(finder, root / "tree")
    assert result == {".": WORKTREE, "gear": SUBMODULE}


async def test_a_bare_repository_beside_its_worktrees_is_found_once(
    root: Path, finder: LocalFinder
) -> None:
    Repository.with_commits(root / "source", "file")
    Repository(root / "source").clone(root / "project/.bare", "--bare")
    (root / "project/.git").write_text("gitdir: ./.bare\n")
    Repository(root / "project").git("worktree", "add", "--quiet", "--detach", "tree")
    assert await kinds(finder, root / "project") == {".": BARE, "tree": WORKTREE}


async def test_the_maximum_depth_limits_the_search(root: Path, finder: LocalFinder) -> None:
    for path in (".", "a", "a/b/c", "a/b/c/d"):
        Repository.created(root / path)
    assert await kinds(finder, root, 0) == {".": REPOSITORY}
    assert await kinds(finder, root, 2) == dict.fromkeys((".", "a"), REPOSITORY)
    assert await kinds(finder, root, 3) == dict.fromkeys((".", "a", "a/b/c"), REPOSITORY)
    assert len(await kinds(finder, root / "a/b", 2)) == 2


async def test_symbolic_links_are_followed_only_in_the_given_path(
    root: Path, outside: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository.created(root / "dev/engine")
    Repository.created(outside / "secret")
    for name, target in (("again", root / "dev"), ("round", root), ("out", outside)):
        (root / "dev" / name).symlink_to(target)
    (root / "link").symlink_to(root / "dev")
    expected = FoundRepository(str(root / "dev/engine"), REPOSITORY)
    monkeypatch.setenv("HOME", str(root))
    for path in (root / "dev", root / "link", "~/dev", "~/link/../dev", root / "dev/again/again"):
        search = await finder.find(USER, str(path), 20, [])
        assert search == SearchResult([expected], truncated=False), path


async def test_nothing_outside_the_git_root_is_revealed_not_even_whether_it_exists(
    root: Path, outside: Path, finder: LocalFinder
) -> None:
    (root / "link").symlink_to(outside)
    Repository.created(outside / "secret")
    for path in (outside, root.parent, outside / "nothing", root / "link/secret"):
        assert await refused(finder, str(path)) == "outside-roots"
    for path in (f"{root}/../outside", f"{root}-beside", "/", "~/no such directory"):
        assert await refused(finder, path) == "outside-roots"


async def test_what_is_not_a_directory_cannot_be_searched(root: Path, finder: LocalFinder) -> None:
    (root / "file").write_text("")
    os.mkfifo(root / "pipe")
    for name in ("file", "pipe", "nothing", "x" * 300):
        assert await refused(finder, str(root / name)) == "not-a-folder"


async def test_the_temporary_files_of_the_service_are_not_found(
    root: Path, temporary: Path, git: LocalGit
) -> None:
    engine = Repository.created(root / "engine")
    os.mkfifo(engine.path / ".gitignore")  # git opens it and waits
    Repository.created(temporary / "symphony" / "symphony-git-tools")
    inspection = asyncio.create_task(git.status(USER, str(engine.path)))

    await until(git_runs)
    finder = LocalFinder([root.parent])
    search = await finder.find(USER, str(root.parent), 20, [])
    finder.close()
    inspection.cancel()
    await asyncio.gather(inspection, return_exceptions=True)
    assert [Path(each.path).name for each in search.found] == ["engine", "symphony-git-tools"]
    shutil.rmtree(temporary / "symphony")


async def test_a_registered_repo_is_recognized_by_its_real_path(
    root: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(root))
    for name in ("engine", "loom", "mill", "new"):
        Repository.created(root / "dev" / name)
    (root / "link").symlink_to(root / "dev")
    result = await found(
        finder,
        root / "dev",
        1,
        RegisteredRepo("Engine", "~/dev/engine"),
        RegisteredRepo("Loom", f"{root}/link/../dev//loom/"),
        RegisteredRepo("Mill", f"{root}/link/mill"),
        RegisteredRepo("Mill again", f"{root}/dev/mill"),
        RegisteredRepo("Gone", f"{root}/dev/{'x' * 300}"),
    )
    assert {path: each.registered_as for path, each in result.items()} == {
        "engine": "Engine",
        "loom": "Loom",
        "mill": "Mill",
        "new": None,
    }


@pytest.mark.parametrize(
    ("remotes", "url", "reason"),
    [
        ({}, None, None),
        ({"origin": "git@example.org:ada/e.git"}, "git@example.org:ada/e.git", None),
        ({"up": "https://example.org/e"}, "https://example.org/e", None),
        ({"a": "https://a.example/e", "origin": "git://o.example/e"}, "git://o.example/e", None),
        (
            {"a": "https://a.example/e", "b": "https://b.example/e"},
            None,
            "The repository has several remotes",
        ),
        (
            {"origin": "https://ada:s3cret@example.org/e"},
            "https://example.org/e",
            "The credentials in",
        ),
        (
            {"origin": "ssh://git:s3cret@example.org/e"},
            "ssh://git@example.org/e",
            "The credentials in",
        ),
        ({"origin": "https://ada:s3/cret@example.org/e"}, None, "The URL of the remote"),
        ({"origin": "/srv/git/engine.git"}, None, "The URL of the remote"),
        ({"origin": "file:///srv/git/engine.git"}, None, "The URL of the remote"),
        ({"origin": "ext::sh -c 'login s3cret'"}, None, "The URL of the remote"),
        ({"origin": "-oProxyCommand=s3cret"}, None, "The URL of the remote"),
        ({"origin": f"https://example.org/{'x' * 2048}"}, None, "The URL of the remote"),
        ({"origin": "https://example.org/caf\udce9"}, None, "The URL of the remote"),
    ],
)
async def test_the_remote_has_a_url_that_can_be_registered_or_a_reason(
    remotes: dict[str, str], url: str | None, reason: str | None, root: Path, finder: LocalFinder
) -> None:
    repository = Repository.created(root / "engine")
    for name, address in remotes.items():
        repository.git("config", f"remote.{name}.url", address)
    result = (await found(finder, root))["engine"]
    assert result.remote_url == url
    assert (result.reason or "").find(reason or "") >= 0
    assert (result.reason is None) == (reason is None)
    assert "s3cret" not in repr(result)


async def test_directories_with_unusual_names_are_found(root: Path, finder: LocalFinder) -> None:
    names = ("two\nlines", "caf\udce9", "\x1b[31m", "-rf", "*", "é")
    for name in names:
        Repository.created(root / name)
    assert await kinds(finder, root) == dict.fromkeys(sorted(names), REPOSITORY)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
async def test_a_damaged_repository_is_found_with_a_reason_or_is_not_a_repository(
    damage: Damage, root: Path, finder: LocalFinder
) -> None:
    repo = Repository.with_commits(root / "place" / "repo", "file")
    damage(repo)
    result = (await found(finder, root)).get("place/repo")
    state, reason = DAMAGES[damage]
    if result is None:
        assert state in {"missing", "not-a-repository"}
    else:
        assert state in {"error", "refused"}
        assert result.reason in {None, reason}
    assert (result is not None and result.reason is not None) == damage.__name__.startswith(
        ("git_", "damaged_config", "pipe_for_config", "pipe_for_git", "enormous_config")
    )


@pytest.mark.parametrize(
    "attack",
    [*hostile_programs.RUN_BY_STATUS, *hostile_programs.WITHOUT_EFFECT],
    ids=lambda each: each.__name__,
)
async def test_no_program_of_a_hostile_repository_runs(
    attack: Attack, root: Path, outside: Path, finder: LocalFinder
) -> None:
    hostile = HostileRepository.created(root, outside)
    attack(hostile)
    hostile.mark.unlink(missing_ok=True)
    before = hostile.repo.snapshot()
    assert "repo" in await found(finder, root)
    assert not hostile.mark.exists()
    assert hostile.repo.snapshot() == before


@pytest.mark.parametrize("attack", hostile_links.LEADING_OUTSIDE, ids=lambda each: each.__name__)
async def test_nothing_outside_to_which_a_repository_leads_is_revealed(
    attack: Attack, root: Path, outside: Path, finder: LocalFinder
) -> None:
    hostile = HostileRepository.created(root, outside)
    hostile.secret.git("config", "remote.origin.url", "https://example.org/the-secret")
    attack(hostile)
    for result in (await found(finder, root)).values():
        assert SECRET not in repr(result)
        assert "the-secret" not in repr(result)
        assert str(outside) not in repr(result)
        assert Path(result.path).is_relative_to(root)


@pytest.mark.parametrize(
    "attack",
    [hostile_links.git_directory_named_by_a_file, hostile_links.git_directory_behind_a_link],
)
async def test_a_repository_with_a_git_directory_outside_is_found_with_a_reason(
    attack: Attack, root: Path, outside: Path, finder: LocalFinder
) -> None:
    attack(HostileRepository.created(root, outside))
    reason = "The git directory is outside the git roots of this service."
    expected = FoundRepository(str(root / "repo"), REPOSITORY, reason=reason)
    assert (await found(finder, root))["repo"] == expected


async def test_a_search_changes_nothing(root: Path, finder: LocalFinder) -> None:
    repository = Repository.with_commits(root / "engine", "file")
    before = repository.snapshot()
    await found(finder, root)
    assert repository.snapshot() == before

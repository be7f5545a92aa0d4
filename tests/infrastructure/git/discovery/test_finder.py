"""Repositories are found wherever they are, and only where one may look."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from symphony.domain.discovery import FoundRepository, RepoKind, SearchResult
from symphony.domain.errors import Invalid
from symphony.domain.repos import RegisteredRepo
from symphony.infrastructure.git.discovery.finder import LocalFinder
from symphony.infrastructure.git.status.local import LocalGit
from tests.infrastructure.git.status import plants
from tests.infrastructure.git.status.damages import DAMAGES, Damage
from tests.infrastructure.git.status.plants import SECRET, Ground
from tests.support.repositories import USER, Repository, git_runs, running
from tests.support.server import until

BARE, REPOSITORY = RepoKind.BARE, RepoKind.REPOSITORY
SUBMODULE, WORKTREE = RepoKind.SUBMODULE, RepoKind.WORKTREE
Plant = Callable[[Ground], None]


@pytest.fixture
def finder(root: Path) -> Iterator[LocalFinder]:
    finder = LocalFinder([root])
    yield finder
    finder.close()


async def found(
    finder: LocalFinder, folder: Path, max_depth: int = 20, *registered: RegisteredRepo
) -> dict[str, FoundRepository]:
    """What is found, by the path below the folder."""
    search = await finder.find(USER, str(folder), max_depth, registered)
    assert not search.truncated
    assert running() == []
    paths = [each.path for each in search.found]
    assert paths == sorted(paths)
    return {str(Path(each.path).relative_to(folder)): each for each in search.found}


async def kinds(finder: LocalFinder, folder: Path, max_depth: int = 20) -> dict[str, RepoKind]:
    return {path: each.kind for path, each in (await found(finder, folder, max_depth)).items()}


async def refused(finder: LocalFinder, folder: str) -> str:
    with pytest.raises(Invalid) as refusal:
        await finder.find(USER, folder, 1, [])
    (error,) = refusal.value.errors
    assert error.field == "root"
    assert folder not in error.detail
    return error.code


async def test_each_kind_of_repository_is_found(root: Path, finder: LocalFinder) -> None:
    engine = Repository.made(root / "engine")
    engine.commit()
    engine.git("worktree", "add", "--quiet", str(root / "trees/engine"))
    engine.git("submodule", "--quiet", "add", engine.path.as_uri(), "parts/gear")
    engine.git("worktree", "add", "--quiet", str(engine.path / "inner"))
    Repository.made(engine.path / "parts/nested")
    bare = engine.clone(root / "bare/engine.git", "--bare")
    bare.git("worktree", "add", "--quiet", "--detach", str(root / "bare/tree"))
    (root / "git-directories").mkdir()
    Repository.made(root / "elsewhere", f"--separate-git-dir={root}/git-directories/elsewhere")
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


async def test_a_submodule_of_a_worktree_is_one_too(root: Path, finder: LocalFinder) -> None:
    gear = Repository.made(root / "gear")
    gear.commit()
    engine = Repository.made(root / "engine")
    engine.git("submodule", "--quiet", "add", gear.path.as_uri(), "gear")
    engine.git("commit", "--quiet", "--message=Gear")
    engine.git("worktree", "add", "--quiet", str(root / "tree"))
    Repository(root / "tree").git("submodule", "--quiet", "update", "--init")
    told = await kinds(finder, root / "tree")
    assert told == {".": WORKTREE, "gear": SUBMODULE}


async def test_a_bare_repository_beside_its_worktrees_is_told_once(
    root: Path, finder: LocalFinder
) -> None:
    Repository.made(root / "source").commit()
    Repository(root / "source").clone(root / "project/.bare", "--bare")
    (root / "project/.git").write_text("gitdir: ./.bare\n")
    Repository(root / "project").git("worktree", "add", "--quiet", "--detach", "tree")
    assert await kinds(finder, root / "project") == {".": BARE, "tree": WORKTREE}


async def test_it_goes_as_deep_as_it_is_told(root: Path, finder: LocalFinder) -> None:
    for path in (".", "a", "a/b/c", "a/b/c/d"):
        Repository.made(root / path)
    assert await kinds(finder, root, 0) == {".": REPOSITORY}
    assert await kinds(finder, root, 2) == dict.fromkeys((".", "a"), REPOSITORY)
    assert await kinds(finder, root, 3) == dict.fromkeys((".", "a", "a/b/c"), REPOSITORY)
    assert len(await kinds(finder, root / "a/b", 2)) == 2


async def test_no_link_is_followed_but_in_the_path_that_is_given(
    root: Path, outside: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository.made(root / "dev/engine")
    Repository.made(outside / "secret")
    for name, target in (("again", root / "dev"), ("round", root), ("out", outside)):
        (root / "dev" / name).symlink_to(target)
    (root / "link").symlink_to(root / "dev")
    expected = FoundRepository(str(root / "dev/engine"), REPOSITORY)
    monkeypatch.setenv("HOME", str(root))
    for folder in (root / "dev", root / "link", "~/dev", "~/link/../dev", root / "dev/again/again"):
        search = await finder.find(USER, str(folder), 20, [])
        assert search == SearchResult([expected], truncated=False), folder


async def test_outside_the_allowed_folders_nothing_is_told_not_even_whether_it_is_there(
    root: Path, outside: Path, finder: LocalFinder
) -> None:
    (root / "link").symlink_to(outside)
    Repository.made(outside / "secret")
    for folder in (outside, root.parent, outside / "nothing", root / "link/secret"):
        assert await refused(finder, str(folder)) == "outside-roots"
    for folder in (f"{root}/../outside", f"{root}-beside", "/", "~/no such folder"):
        assert await refused(finder, folder) == "outside-roots"


async def test_what_is_no_folder_cannot_be_searched(root: Path, finder: LocalFinder) -> None:
    (root / "file").write_text("")
    os.mkfifo(root / "pipe")
    for name in ("file", "pipe", "nothing", "x" * 300):
        assert await refused(finder, str(root / name)) == "not-a-folder"


async def test_what_the_service_itself_makes_for_a_look_is_not_told(
    root: Path, temporary: Path, git: LocalGit
) -> None:
    engine = Repository.made(root / "engine")
    os.mkfifo(engine.path / ".gitignore")  # which git opens, and waits
    Repository.made(temporary / "symphony" / "symphony-git-tools")
    looking = asyncio.create_task(git.status(USER, str(engine.path)))

    await until(git_runs)
    finder = LocalFinder([root.parent])
    search = await finder.find(USER, str(root.parent), 20, [])
    finder.close()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert [Path(each.path).name for each in search.found] == ["engine", "symphony-git-tools"]
    shutil.rmtree(temporary / "symphony")


async def test_what_is_registered_is_known_by_where_its_path_leads(
    root: Path, finder: LocalFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(root))
    for name in ("engine", "loom", "mill", "new"):
        Repository.made(root / "dev" / name)
    (root / "link").symlink_to(root / "dev")
    told = await found(
        finder,
        root / "dev",
        1,
        RegisteredRepo("Engine", "~/dev/engine"),
        RegisteredRepo("Loom", f"{root}/link/../dev//loom/"),
        RegisteredRepo("Mill", f"{root}/link/mill"),
        RegisteredRepo("Mill again", f"{root}/dev/mill"),
        RegisteredRepo("Gone", f"{root}/dev/{'x' * 300}"),
    )
    assert {path: each.registered_as for path, each in told.items()} == {
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
        ({"a": "https://a.example/e", "b": "https://b.example/e"}, None, "It has several remotes"),
        ({"origin": "https://ada:s3cret@example.org/e"}, "https://example.org/e", "without the"),
        ({"origin": "ssh://git:s3cret@example.org/e"}, "ssh://git@example.org/e", "without the"),
        ({"origin": "https://ada:s3/cret@example.org/e"}, None, "Its remote has an address"),
        ({"origin": "/srv/git/engine.git"}, None, "Its remote has an address"),
        ({"origin": "file:///srv/git/engine.git"}, None, "Its remote has an address"),
        ({"origin": "ext::sh -c 'login s3cret'"}, None, "Its remote has an address"),
        ({"origin": "-oProxyCommand=s3cret"}, None, "Its remote has an address"),
        ({"origin": f"https://example.org/{'x' * 2048}"}, None, "Its remote has an address"),
        ({"origin": "https://example.org/caf\udce9"}, None, "Its remote has an address"),
    ],
)
async def test_its_remote_is_told_as_it_can_be_registered_or_why_it_is_not(
    remotes: dict[str, str], url: str | None, reason: str | None, root: Path, finder: LocalFinder
) -> None:
    repository = Repository.made(root / "engine")
    for name, address in remotes.items():
        repository.git("config", f"remote.{name}.url", address)
    told = (await found(finder, root))["engine"]
    assert told.remote_url == url
    assert (told.reason or "").find(reason or "") >= 0
    assert (told.reason is None) == (reason is None)
    assert "s3cret" not in repr(told)


async def test_names_that_are_no_text_are_found_too(root: Path, finder: LocalFinder) -> None:
    names = ("two\nlines", "caf\udce9", "\x1b[31m", "-rf", "*", "é")
    for name in names:
        Repository.made(root / name)
    assert await kinds(finder, root) == dict.fromkeys(sorted(names), REPOSITORY)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
async def test_what_is_damaged_is_told_with_the_reason_or_is_none(
    damage: Damage, root: Path, finder: LocalFinder
) -> None:
    repo = Repository.made(root / "place" / "repo")
    repo.commit()
    damage(repo)
    told = (await found(finder, root)).get("place/repo")
    state, reason = DAMAGES[damage]
    if told is None:
        assert state in {"missing", "not-a-repository"}
    else:
        assert state in {"error", "refused"}
        assert told.reason in {None, reason}
    assert (told is not None and told.reason is not None) == damage.__name__.startswith(
        ("git_", "damaged_config", "pipe_for_config", "pipe_for_git", "enormous_config")
    )


@pytest.mark.parametrize(
    "plant", [*plants.BITING, *plants.HARMLESS], ids=lambda each: each.__name__
)
async def test_no_program_that_somebody_has_planted_is_run(
    plant: Plant, root: Path, outside: Path, finder: LocalFinder
) -> None:
    ground = Ground.prepared(root, outside)
    plant(ground)
    ground.mark.unlink(missing_ok=True)
    before = ground.repo.traces()
    assert "repo" in await found(finder, root)
    assert not ground.mark.exists()
    assert ground.repo.traces() == before


@pytest.mark.parametrize("plant", plants.LEADING_OUT, ids=lambda each: each.__name__)
async def test_nothing_is_told_of_what_a_repository_leads_to_outside(
    plant: Plant, root: Path, outside: Path, finder: LocalFinder
) -> None:
    ground = Ground.prepared(root, outside)
    ground.secret.git("config", "remote.origin.url", "https://example.org/the-secret")
    plant(ground)
    for told in (await found(finder, root)).values():
        assert SECRET not in repr(told)
        assert "the-secret" not in repr(told)
        assert str(outside) not in repr(told)
        assert Path(told.path).is_relative_to(root)


@pytest.mark.parametrize(
    "plant", [plants.git_directory_named_by_a_file, plants.git_directory_behind_a_link]
)
async def test_a_git_directory_outside_is_told_with_the_reason(
    plant: Plant, root: Path, outside: Path, finder: LocalFinder
) -> None:
    plant(Ground.prepared(root, outside))
    reason = "Its git directory lies outside the folders in which this service may look."
    expected = FoundRepository(str(root / "repo"), REPOSITORY, reason=reason)
    assert (await found(finder, root))["repo"] == expected


async def test_nothing_is_changed_by_looking(root: Path, finder: LocalFinder) -> None:
    repository = Repository.made(root / "engine")
    repository.commit()
    before = repository.traces()
    await found(finder, root)
    assert repository.traces() == before

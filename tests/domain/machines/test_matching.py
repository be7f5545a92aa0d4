"""Which repos a checkout belongs to."""

from collections.abc import Sequence
from uuid import UUID

from symphony.domain.base import new_id
from symphony.domain.machines.checkouts import RepoIdentity, StoredCheckout
from symphony.domain.machines.matching import match_checkouts

ENGINE, FORK = "git.example.org/ada/engine", "git.example.org/eve/engine"
LAPTOP, DESKTOP = new_id(), new_id()
ROOT, OTHER_ROOT = "1" * 40, "2" * 40


def repo(
    remote: str | None = None, path: str = "~/engine", *, is_read_here: bool = False
) -> RepoIdentity:
    return RepoIdentity(new_id(), path, remote, is_read_here)


def checkout(
    *remotes: str,
    roots: Sequence[str] = (),
    path: str = "/home/ada/engine",
    machine: UUID = LAPTOP,
) -> StoredCheckout:
    return StoredCheckout(
        id=new_id(),
        machine_id=machine,
        path=path,
        remotes=remotes,
        root_commits=tuple(roots),
        needs_attention=False,
        known_heads="",
        facts="{}",
    )


def matched(
    repos: Sequence[RepoIdentity], checkouts: Sequence[StoredCheckout]
) -> list[list[RepoIdentity]]:
    """The repos of each checkout, the same in whatever order the checkouts are."""
    found = match_checkouts(repos, checkouts)
    backwards = match_checkouts(repos[::-1], checkouts[::-1])
    assert {key: set(ids) for key, ids in found.items()} == {
        key: set(ids) for key, ids in backwards.items()
    }
    assert all(found.values())
    return [[each for each in repos if each.id in found.get(own.id, ())] for own in checkouts]


def test_a_checkout_belongs_to_the_repo_with_its_remote_wherever_it_is() -> None:
    engine, other = repo(ENGINE), repo("git.example.org/ada/other")
    moved = checkout(ENGINE, path="/srv/elsewhere", machine=DESKTOP)
    assert matched([engine, other], [checkout(ENGINE), moved, checkout("x.org/y")]) == [
        [engine],
        [engine],
        [],
    ]


def test_two_checkouts_of_a_repo_on_one_machine_both_belong_to_it() -> None:
    engine = repo(ENGINE)
    both = [checkout(ENGINE, path="/a"), checkout(ENGINE, path="/b")]
    assert matched([engine], both) == [[engine], [engine]]


def test_a_directory_with_several_remotes_belongs_to_the_repos_of_all() -> None:
    upstream, fork, third = repo(ENGINE), repo(FORK), repo("git.example.org/x/engine")
    assert matched(
        [upstream, fork, third], [checkout(FORK, ENGINE), checkout(FORK), checkout(ENGINE)]
    ) == [[upstream, fork], [fork], [upstream]]


def test_a_mirror_with_another_remote_is_recognized_by_its_root_commit() -> None:
    engine = repo(ENGINE)
    mirror = checkout("mirror.example.net/engine", roots=[ROOT], machine=DESKTOP)
    assert matched([engine], [mirror]) == [[]]
    assert matched([engine], [mirror, checkout(ENGINE, roots=[OTHER_ROOT, ROOT])]) == [
        [engine],
        [engine],
    ]


def test_a_repo_registered_in_two_workspaces_gets_the_checkout_twice() -> None:
    first, second = repo(ENGINE), repo(ENGINE)
    # By its root commit it could belong to either, so it belongs to none.
    copy = checkout(roots=[ROOT], path="/copy")
    assert matched([first, second], [checkout(ENGINE, roots=[ROOT]), copy]) == [
        [first, second],
        [],
    ]


def test_a_root_commit_of_several_repos_matches_none() -> None:
    upstream, fork = repo(ENGINE), repo(FORK)
    seen = [checkout(ENGINE, roots=[ROOT]), checkout(FORK, roots=[ROOT, OTHER_ROOT])]
    copy, other_copy = checkout(roots=[ROOT]), checkout(roots=[ROOT, OTHER_ROOT])
    assert matched([upstream, fork], [*seen, copy, other_copy]) == [
        [upstream],
        [fork],
        [],
        [fork],  # the other root commit is of the fork alone
    ]


def test_root_commits_of_two_repos_lead_to_both() -> None:
    engine, notes = repo(ENGINE), repo("git.example.org/ada/notes")
    seen = [
        checkout(ENGINE, roots=[ROOT]),
        checkout("git.example.org/ada/notes", roots=[OTHER_ROOT]),
    ]
    joined = checkout(roots=[ROOT, OTHER_ROOT])
    assert matched([engine, notes], [*seen, joined])[2] == [engine, notes]


def test_without_remotes_the_path_decides_unless_the_server_reads_that_directory() -> None:
    path = "/home/ada/engine"
    engine, twin = repo(path=path), repo("x.org/y", path=path)
    read_here, in_home = repo(path=path, is_read_here=True), repo(path="~/engine")
    assert matched([engine, twin, read_here, in_home], [checkout()]) == [[engine, twin]]
    assert matched([in_home], [checkout(path="~/engine")]) == [[]]
    assert matched([engine], [checkout(path="/home/ada/other")]) == [[]]


def test_a_checkout_with_a_remote_never_matches_by_path() -> None:
    engine = repo(path="/home/ada/engine")
    assert matched([engine], [checkout("x.org/y")]) == [[]]


def test_a_remote_precedes_a_root_commit_which_precedes_the_path() -> None:
    engine, here = repo(ENGINE), repo(path="/home/ada/engine")
    seen = checkout(ENGINE, roots=[ROOT])
    assert matched([engine, here], [seen, checkout(roots=[ROOT]), checkout()]) == [
        [engine],
        [engine],
        [here],
    ]


def test_a_copy_of_what_the_path_found_is_recognized_by_its_root_commit() -> None:
    here, engine = repo(path="/home/ada/engine"), repo(ENGINE)
    found, copy = checkout(roots=[ROOT]), checkout(roots=[ROOT], path="/copy", machine=DESKTOP)
    with_remote = checkout("x.org/y", roots=[ROOT])
    assert matched([here], [found, copy, with_remote]) == [[here], [here], [here]]
    # A root commit that is of another repo too no longer tells.
    seen = checkout(ENGINE, roots=[ROOT, OTHER_ROOT])
    assert matched([here, engine], [checkout(roots=["3" * 40, ROOT]), seen]) == [
        [engine],
        [engine],
    ]


def test_what_a_root_commit_found_leads_no_further() -> None:
    engine = repo(ENGINE)
    chain = [
        checkout(ENGINE, roots=[ROOT]),
        checkout(roots=[ROOT, OTHER_ROOT]),
        checkout(roots=[OTHER_ROOT]),
    ]
    assert matched([engine], chain) == [[engine], [engine], []]

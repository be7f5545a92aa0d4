"""The attention board, over HTTP: reasons, filters, stored observations, ETags."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from scripts.support.polling import until
from symphony.domain.base import new_id, utc_now
from tests.api.routes.boards import board, dirty, reasons
from tests.support.api import User, code, faults, utc

pytestmark = pytest.mark.usefixtures("git_root")

LONG_AGO = "2020-01-01T12:00:00Z"


def unpushed(clone: Repository) -> None:
    clone.commit("mine")


def behind(clone: Repository) -> None:
    clone.git("reset", "--quiet", "--hard", "HEAD~1")


def diverged(clone: Repository) -> None:
    behind(clone)
    unpushed(clone)


def stashed(clone: Repository) -> None:
    clone.write("file", "put aside\n")
    clone.git("stash", "--quiet")


def conflict(clone: Repository) -> None:
    clone.commit("file", "mine\n")
    clone.git("switch", "--quiet", "--create", "theirs", "HEAD~1")
    clone.commit("file", "theirs\n")
    clone.git("merge", "--quiet", "main", check=False)


def merging(clone: Repository) -> None:
    """A merge in progress whose conflicts are resolved."""
    conflict(clone)
    clone.git("checkout", "--quiet", "--ours", "file")
    clone.git("add", "file")


def new_branch(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--create", "idea")


def pushed_without_upstream(clone: Repository) -> None:
    new_branch(clone)
    unpushed(clone)
    # The clone of another situation may have pushed an idea of another second.
    clone.git("push", "--quiet", "--force", "origin", "idea")


def squashed(clone: Repository) -> None:
    """A branch of two commits that is one commit of the default branch."""
    pushed_without_upstream(clone)
    clone.commit("mine", "more\n")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--squash", "idea")
    clone.git("commit", "--quiet", "--message", "Squashed")
    clone.git("push", "--quiet", "origin", "main:default")
    clone.git("push", "--quiet", "origin", "--delete", "idea")
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/default")
    clone.git("branch", "--quiet", "--set-upstream-to", "origin/default")


def other_branch(clone: Repository) -> None:
    new_branch(clone)
    unpushed(clone)
    clone.git("switch", "--quiet", "main")


def unpushed_tag(clone: Repository) -> None:
    detached(clone)
    clone.git("tag", "--annotate", "--message", "First", "v1")
    clone.git("switch", "--quiet", "main")


def detached(clone: Repository) -> None:
    clone.git("switch", "--quiet", "--detach")
    unpushed(clone)


def dirty_worktree(clone: Repository) -> None:
    linked = clone.path.with_name(f"{clone.path.name}-2")
    clone.git("worktree", "add", "--quiet", str(linked), "-b", "second")
    (linked / "file").write_text("not committed\n")


def marked_as_unchanged(clone: Repository) -> None:
    clone.git("update-index", "--assume-unchanged", "file")
    clone.write("file", "edited\n")


def no_remote(clone: Repository) -> None:
    clone.git("remote", "remove", "origin")


def missing(clone: Repository) -> None:
    clone.path.rename(clone.path.with_name("moved away"))


def unreadable(clone: Repository) -> None:
    (clone.git_directory / "HEAD").write_text("damaged")


def stale(clone: Repository) -> None:
    clone.write("mine")
    clone.git("add", "mine")
    clone.git("commit", "--quiet", "-m", "Old", GIT_AUTHOR_DATE=LONG_AGO)


def old_and_done(clone: Repository) -> None:
    stale(clone)
    clone.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/done")
    clone.git("branch", "--quiet", "--set-upstream-to", "origin/done")


SITUATIONS: list[tuple[Callable[[Repository], object], list[str]]] = [
    (dirty, ["dirty"]),
    (unpushed, ["unpushed"]),
    (behind, ["behind"]),
    (diverged, ["unpushed", "behind", "diverged"]),
    (stashed, ["stashed"]),
    (conflict, ["dirty", "unpushed", "conflict"]),
    (merging, ["unpushed", "conflict"]),
    (other_branch, ["unpushed"]),
    (unpushed_tag, ["unpushed"]),
    (detached, ["detached"]),
    (dirty_worktree, ["worktree"]),
    (no_remote, ["no-remote"]),
    (marked_as_unchanged, ["at-risk"]),
    (missing, ["missing"]),
    (unreadable, ["unreadable"]),
    (stale, ["unpushed", "stale"]),
]


def done(_clone: Repository) -> None:
    """Nothing has happened."""


DONE = (done, old_and_done, new_branch, pushed_without_upstream, squashed)


async def test_only_repos_with_unfinished_work_are_listed_each_with_its_reasons(
    ada: User, folder: Path, upstream: Repository
) -> None:
    upstream.commit("second")
    workspace = (await ada.workspace())["id"]
    expected = dict[str, list[str]]()
    for situation, why in SITUATIONS:
        name = situation.__name__
        clone = upstream.clone(folder / name)
        situation(clone)
        await ada.repo(workspace, name, path=str(clone.path))
        expected[name] = why
    for situation in DONE:
        clone = upstream.clone(folder / situation.__name__)
        situation(clone)
        await ada.repo(workspace, situation.__name__, path=str(clone.path))
    await ada.repo(workspace, "outside", path="/")
    expected["outside"] = ["unreadable"]
    assert await reasons(ada) == expected
    assert list(await reasons(ada, "?fresh=false")) == sorted(expected)
    for _, why in SITUATIONS:
        for reason in why:
            filtered = {name: each for name, each in expected.items() if reason in each}
            assert await reasons(ada, f"?fresh=false&reason={reason}") == filtered


@pytest.mark.long
async def test_a_vault_with_a_passphrase_needs_attention_while_it_has_a_session(
    ada: User,
) -> None:
    passphrase = {"passphrase": "a horse, a battery"}
    workspace = (await ada.workspace())["id"]
    vault = await ada.vault(workspace, protection="passphrase", **passphrase)
    path = f"/vaults/{vault['id']}"
    assert await reasons(ada) == {}
    await ada.post(f"{path}/unlock", passphrase | {"ttl_seconds": 1})
    assert await reasons(ada) == {vault["name"]: ["unlocked"]}

    async def is_over() -> bool:
        return await reasons(ada) == {}

    await until(is_over)


async def test_a_vault_left_unlocked_needs_attention_until_it_is_locked(ada: User) -> None:
    workspace = (await ada.workspace())["id"]
    vault = await ada.vault(workspace)
    told = await board(ada)
    (item,) = told["items"]
    assert utc(item.pop("observed_at")) <= utc_now()
    assert item == {
        "kind": "vault",
        "id": vault["id"],
        "name": vault["name"],
        "workspace_id": workspace,
        "reasons": ["unlocked"],
        "at_risk": False,
        "checkouts": [],
        **dict.fromkeys(
            (
                *("path", "branch", "ahead", "behind", "staged", "modified", "untracked"),
                *("conflicted", "stashes", "unpushed_commits", "unpushed_branches"),
                "unfinished_since",
            )
        ),
    }
    assert await reasons(ada, "?reason=dirty") == {}
    assert await reasons(ada, "?reason=unlocked") == {vault["name"]: ["unlocked"]}
    await ada.post(f"/vaults/{vault['id']}/lock")
    assert (await board(ada))["items"] == []


async def test_a_board_covers_all_workspaces_or_one(ada: User, folder: Path) -> None:
    ids = list[str]()
    for name in ("first", "second"):
        workspace = (await ada.workspace(name))["id"]
        ids.append(workspace)
        await ada.repo(workspace, f"repo of {name}", path=str(folder / "nothing"))
        await ada.vault(workspace, f"vault of {name}")
    told = await board(ada)
    assert [(each["workspace_id"], each["kind"]) for each in told["items"]] == [
        (workspace, kind) for workspace in ids for kind in ("repo", "vault")
    ]
    (second,) = await reasons(ada, f"?workspace_id={ids[1]}&reason=missing")
    assert second == "repo of second"
    assert set(await reasons(ada, f"?workspace_id={ids[1]}")) == {second, "vault of second"}


async def test_stored_observations_are_returned_without_an_inspection(
    ada: User, folder: Path, upstream: Repository
) -> None:
    workspace = (await ada.workspace())["id"]
    repo = await ada.repo(workspace, "clone", path=str(upstream.clone(folder / "clone").path))
    unknown = await board(ada, "?fresh=false")
    assert (unknown["items"], unknown["unobserved"]) == ([], 1)
    (folder / "clone" / "new").touch()
    assert (await board(ada, "?fresh=false"))["unobserved"] == 1
    looked = await board(ada)
    assert looked["unobserved"] == 0
    assert [each["reasons"] for each in looked["items"]] == [["dirty"]]
    (folder / "clone" / "new").unlink()
    remembered = await board(ada, "?fresh=false")
    assert remembered == looked
    # The inspection of a single repo is stored too.
    assert (await ada.get(f"/repos/{repo['id']}/status")).json()["state"] == "clean"
    after = await board(ada, "?fresh=false")
    assert after["items"] == []
    assert utc(after["observed_at"]) > utc(looked["observed_at"])


async def test_a_repo_whose_path_was_changed_is_unobserved(
    ada: User, folder: Path, upstream: Repository
) -> None:
    workspace = (await ada.workspace())["id"]
    repo = await ada.repo(workspace, path=str(folder / "nothing"))
    assert list((await reasons(ada)).values()) == [["missing"]]
    await ada.patch(f"/repos/{repo['id']}", {"metadata": {"colour": "blue"}})
    assert list((await reasons(ada, "?fresh=false")).values()) == [["missing"]]
    await ada.patch(f"/repos/{repo['id']}", {"path": str(upstream.path)})
    moved = await board(ada, "?fresh=false")
    assert (moved["items"], moved["unobserved"]) == ([], 1)


async def test_an_unchanged_board_is_a_304(ada: User, folder: Path, upstream: Repository) -> None:
    workspace = (await ada.workspace())["id"]
    path = f"/user-profiles/{ada.id}/attention"
    clone = upstream.clone(folder / "clone")
    dirty(clone)
    await ada.repo(workspace, "clone", path=str(clone.path))
    first = await ada.get(path)
    etag = first.headers["etag"]
    assert etag.startswith('W/"')  # the time of the observation is not part of it
    again = await ada.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert (await ada.get(path, headers={"If-None-Match": etag[2:]})).status_code == 304
    remembered = await ada.get(f"{path}?fresh=false", headers={"If-None-Match": etag})
    assert remembered.status_code == 304
    stashed(clone)
    changed = await ada.get(path, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
    assert utc(changed.json()["observed_at"]) > utc(first.json()["observed_at"])


async def test_a_board_contains_only_resources_of_the_caller(
    ada: User, eve: User, folder: Path
) -> None:
    hers = (await ada.workspace())["id"]
    await ada.repo(hers, path=str(folder))
    await ada.vault(hers)
    workspace = (await eve.workspace())["id"]
    await eve.vault(workspace, "mine")
    assert set(await reasons(eve)) == {"mine"}
    for fresh in ("true", "false"):
        there = await eve.get(f"/user-profiles/{ada.id}/attention?fresh={fresh}")
        assert code(there) == "404 user-profile-not-found"
        same = {"X-Request-ID": "the-same"}
        answers = [
            (await eve.get(f"/user-profiles/{eve.id}/attention{query}", headers=same)).text.replace(
                asked, "{id}"
            )
            for asked in (hers, str(new_id()))
            for query in [f"?workspace_id={asked}&fresh={fresh}"]
        ]
        assert answers[0] == answers[1]
        assert '"code":"workspace-not-found"' in answers[0]


async def test_a_user_without_resources_has_an_empty_board(ada: User) -> None:
    for query in ("", "?fresh=false", f"?workspace_id={(await ada.workspace())['id']}"):
        told = await board(ada, query)
        assert (told["items"], told["unobserved"]) == ([], 0)
        assert utc(told["observed_at"]) <= utc_now()


async def test_filters_are_read_strictly(ada: User) -> None:
    path = f"/user-profiles/{ada.id}/attention"
    for query, wrong in (
        ("reason=lazy", ("reason", "unknown-value")),
        ("reason=dirty,behind", ("reason", "unknown-value")),
        ("reason=dirty&reason=behind", ("reason", "duplicate-field")),
        ("workspace_id=thesis", ("workspace_id", "uuid-expected")),
        ("fresh=maybe", ("fresh", "boolean-expected")),
        ("at_risk=maybe", ("at_risk", "boolean-expected")),
        ("limit=5", ("limit", "unknown-parameter")),
    ):
        assert faults(await ada.get(f"{path}?{query}")) == [wrong]

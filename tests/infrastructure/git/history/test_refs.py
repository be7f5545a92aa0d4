"""Refs of every kind: damaged, hostile, very many, or changed while they are read."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.infrastructure.git.files.unreadable import Unreadable
from symphony.infrastructure.git.files.untrusted_directory import UntrustedDirectory
from symphony.infrastructure.git.history import refs
from symphony.infrastructure.git.history.refs import read_refs
from tests.infrastructure.git.history.works import branch_of, unpushed_by_git, work_of
from tests.support.repositories import opened

NOTHING = "1" * 40
DAMAGES: dict[str, tuple[Callable[[Repository], object], str]] = {
    "nothing": (
        lambda repo: repo.write(".git/refs/heads/bad", f"{NOTHING}\n"),
        "The branch bad refers to an object that the repository lacks.",
    ),
    "packed-nothing": (
        lambda repo: repo.write(".git/packed-refs", f"{NOTHING} refs/heads/bad\n"),
        "The branch bad refers to an object that the repository lacks.",
    ),
    "tag-of-nothing": (
        lambda repo: repo.write(".git/refs/tags/bad", f"{NOTHING}\n"),
        "The tag bad refers to an object that the repository lacks.",
    ),
    "tree": (
        lambda repo: repo.write(".git/refs/heads/bad", repo.git("rev-parse", "HEAD^{tree}")),
        "The branch bad refers to no commit.",
    ),
    "blob": (
        lambda repo: repo.write(".git/refs/heads/bad", repo.git("rev-parse", "HEAD:a")),
        "The branch bad refers to no commit.",
    ),
    "long-id": (
        lambda repo: repo.write(".git/refs/heads/bad", "1" * 64),
        "The branch bad refers to an object that the repository lacks.",
    ),
    "empty": (
        lambda repo: repo.write(".git/refs/heads/bad", ""),
        "refs/heads/bad cannot be read.",
    ),
    "garbage": (
        lambda repo: repo.write(".git/refs/heads/bad", "\0\n--all\n"),
        "refs/heads/bad cannot be read.",
    ),
    "large": (
        lambda repo: repo.write(".git/refs/heads/bad", "x" * 5000),
        "refs/heads/bad cannot be read.",
    ),
    "loop": (
        lambda repo: repo.write(".git/refs/heads/bad", "ref: refs/heads/bad\n"),
        "refs/heads/bad cannot be read.",
    ),
    "elsewhere": (
        lambda repo: repo.write(".git/refs/heads/bad", "ref: ../../etc/passwd\n"),
        "refs/heads/bad cannot be read.",
    ),
    "link": (
        lambda repo: (repo.path / ".git/refs/heads/bad").symlink_to("main"),
        "refs/heads/bad cannot be read.",
    ),
    "fifo": (
        lambda repo: os.mkfifo(repo.path / ".git/refs/heads/bad"),
        "refs/heads/bad cannot be read.",
    ),
    "cut": (
        lambda repo: repo.write(".git/packed-refs", f"{NOTHING} refs/heads/b"),
        "packed-refs is damaged.",
    ),
    "no-list": (
        lambda repo: repo.write(".git/packed-refs", "--all\n"),
        "packed-refs is damaged.",
    ),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_ref_makes_the_work_unknown(
    repo: Repository, copies: Path, damage: Callable[[Repository], object], reason: str
) -> None:
    damage(repo)
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (None, None)
    assert work.reason == reason


def test_a_damaged_ref_hides_no_commit_at_risk(root: Path, repo: Repository, copies: Path) -> None:
    repo.git("config", "remote.origin.url", f"{root}/nothing")
    repo.git("update-ref", "-d", "refs/remotes/origin/main")
    repo.write(".git/refs/heads/bad", "")
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (None, 2)
    assert branch_of(work, "main").unpushed_commits == 2


def test_refs_that_git_ignores_are_named_and_ignored(repo: Repository, copies: Path) -> None:
    head = repo.head
    repo.write(".git/refs/heads/main (copy)", f"{head}\n")
    repo.write(".git/refs/heads/two\nlines", f"{head}\n")
    repo.write(".git/refs/heads/main.lock", "")
    repo.git("tag", "tree", "HEAD^{tree}")
    repo.git("symbolic-ref", "refs/heads/dangling", "refs/heads/none")
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/none")
    repo.write(".git/refs/remotes/origin/damaged", "")
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.at_risk) == (0, 0)
    assert [each.name for each in work.items] == ["main"]
    assert work.reason
    for name in ("main (copy)", "lines", "The tag tree"):
        assert name in work.reason


def test_any_valid_name_is_only_a_name(repo: Repository, copies: Path) -> None:
    repo.commit("c")
    head = repo.head
    names = ["--all", "-", "HEAD", "a;b", "$(id)", os.fsdecode(b"\xff\xfe"), "ü/x", "@x"]
    for name in names:
        repo.write(f".git/refs/heads/{name}", f"{head}\n")
    work = work_of(repo, copies)
    assert (work.unpushed_commits, work.reason) == (1, None)
    shown = {each.name for each in work.items}
    assert shown == {"main", *names[:5], "\ufffd\ufffd", "ü/x", "@x"}
    assert {each.unpushed_commits for each in work.items} == {1}


def test_tags_of_tags_and_refs_at_tags_are_their_commits(repo: Repository, copies: Path) -> None:
    repo.commit("c")
    repo.git("tag", "--annotate", "--message=x", "one")
    repo.git("tag", "--annotate", "--message=x", "two", "one")
    repo.write(".git/refs/heads/at-tag", repo.git("rev-parse", "two"))
    work = work_of(repo, copies)
    assert work.unpushed_commits == 1
    assert {each.head for each in work.items} == {repo.head}
    assert {each.name for each in work.items} == {"main", "one", "two", "at-tag"}


def test_a_lacking_commit_of_a_remote_makes_only_a_positive_count_unknown(
    repo: Repository, copies: Path
) -> None:
    repo.write(".git/refs/remotes/origin/pruned", f"{NOTHING}\n")
    assert work_of(repo, copies).unpushed_commits == 0
    repo.commit("c")
    work = work_of(repo, copies)
    assert work.unpushed_commits is None
    assert work.reason == "The repository lacks the commit of a remote-tracking branch."


def test_a_single_ref_replaces_the_packed_one(repo: Repository, copies: Path) -> None:
    repo.git("branch", "side/inner")
    repo.git("pack-refs", "--all", "--prune")
    (repo.path / ".git/refs/heads/side/inner").mkdir(parents=True)  # as git leaves it behind
    repo.commit("c")
    work = work_of(repo, copies)
    assert work.unpushed_commits == unpushed_by_git(repo) == 1
    assert branch_of(work, "side/inner").unpushed_commits == 0


def test_refs_that_change_while_they_are_read_are_read_again(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = refs.packed_refs
    changes = iter(["z/renamed", "a/renamed"])

    def changed(common: UntrustedDirectory) -> Iterator[tuple[str, str]]:
        if (name := next(changes, None)) is not None:
            repo.git("branch", "--move", "main", name)
            repo.git("branch", "--copy", name, "main")
        return original(common)

    monkeypatch.setattr(refs, "packed_refs", changed)
    with opened(repo.git_directory) as common:
        assert set(read_refs(common).branches) == {"main", "z/renamed", "a/renamed"}


def test_refs_that_never_stop_to_change_cannot_be_read(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(common: UntrustedDirectory) -> Iterator[tuple[str, str]]:
        repo.write(".git/refs/heads/x", "")
        (repo.git_directory / "refs/heads/x").unlink()
        return original(common)

    original = refs.packed_refs
    monkeypatch.setattr(refs, "packed_refs", changing)
    with opened(repo.git_directory) as common, pytest.raises(Unreadable, match="change while"):
        read_refs(common)


def test_very_many_refs_are_unknown(
    repo: Repository, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refs, "MAX_REFS", 10)
    head = repo.head
    packed = "".join(f"{head} refs/heads/b{number}\n" for number in range(11))
    repo.write(".git/packed-refs", packed)
    work = work_of(repo, copies)
    assert work.unpushed_commits is None
    assert work.reason == "The repository has more than 10 refs."
    repo.write(".git/packed-refs", "")
    for number in range(11):
        repo.write(f".git/refs/tags/{number}", head)
    assert work_of(repo, copies).reason == "The repository has more than 10 refs."


def test_a_large_list_of_refs_is_unknown(
    repo: Repository, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refs, "_MAX_PACKED_REFS", 100)
    repo.write(".git/packed-refs", "#" * 101)
    assert work_of(repo, copies).reason == "packed-refs is larger than 100 bytes."

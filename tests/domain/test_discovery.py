"""Proposals for repositories that were found: each can be registered as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.discovery import FoundRepository, Proposal, RepoKind, proposals
from symphony.domain.fields import comparison_key
from symphony.domain.repos import RegisteredRepo
from tests.domain.examples import a_repo

# One ligature, which compatibility normalisation turns into 18 letters of 33 bytes.
LIGATURE = "\ufdfa"
ENGINE = RegisteredRepo("engine", "~/dev/engine")
FOLDERS = st.lists(
    st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=20)
    | st.sampled_from(["engine", "Engine", "engine-2", " engine ", "a:b", "a?b", "   ", "*"]),
    max_size=12,
)


def proposed(*folders: str, registered: RegisteredRepo = ENGINE) -> list[Proposal]:
    found = [FoundRepository(f"/dev/{folder}", RepoKind.REPOSITORY) for folder in folders]
    return list(proposals(found, [registered]))


def names(*folders: str) -> list[str | None]:
    return [each.name for each in proposed(*folders)]


@pytest.mark.long
@given(FOLDERS)
def test_all_proposals_with_a_name_can_be_registered_together(folders: list[str]) -> None:
    named = [each for each in proposed(*folders) if each.name is not None]
    repos = [a_repo(name=each.name or "", path=each.path) for each in named]
    assert [repo.name for repo in repos] == [each.name for each in named]
    keys = [comparison_key(ENGINE.name), *(repo.name_key for repo in repos)]
    assert len(set(keys)) == len(keys)
    is_text = [folder.isprintable() for folder in folders]
    assert len(named) >= sum(is_text)


def test_a_valid_and_free_folder_name_is_proposed() -> None:
    assert names("loom", "engine.git", "Straße", ".dotfiles") == [
        "loom",
        "engine.git",
        "Straße",
        ".dotfiles",
    ]


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert names("engine", "ENGINE", "loom", "loom", "loom-2") == [
        "engine-2",
        "ENGINE-3",
        "loom",
        "loom-2",
        "loom-2-2",
    ]


def test_an_invalid_folder_name_becomes_a_valid_one() -> None:
    assert names("a:b?", " loom ", "   ", "x" * 255, "x" * 255) == [
        "a-b-",
        "loom",
        "repo",
        "x" * 255,
        f"{'x' * 247}-2",
    ]
    assert names(LIGATURE * 80, "\\") == ["repo", "-"]
    (root,) = proposals([FoundRepository("/", RepoKind.BARE)], [])
    assert root.name == "repo"


def test_a_registered_repository_keeps_the_name_of_its_repo() -> None:
    found = FoundRepository(
        "/dev/loom", RepoKind.BARE, "git://example.org/x", None, registered_as="Engine"
    )
    assert list(proposals([found], [ENGINE])) == [
        Proposal("Engine", "/dev/loom", "git://example.org/x", RepoKind.BARE, True, None)  # noqa: FBT003 - in its order
    ]


def test_a_path_that_cannot_be_registered_has_a_reason_and_no_name() -> None:
    for path, shown in (
        ("/dev/two\nlines", "/dev/two\ufffdlines"),
        ("/dev/caf\udce9", "/dev/caf\ufffd"),
        ("/dev/\x7f/loom", "/dev/\ufffd/loom"),
        (f"/{'x' * 4096}", f"/{'x' * 4096}"),
    ):
        (proposal,) = proposals([FoundRepository(path, RepoKind.WORKTREE)], [ENGINE])
        assert (proposal.name, proposal.path, proposal.registered) == (None, shown, False)
        assert proposal.reason

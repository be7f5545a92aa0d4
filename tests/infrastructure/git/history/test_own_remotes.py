"""Remotes that are the repository itself, in configurations of any size."""

from pathlib import Path

import pytest

from scripts.support.git_repository import Repository
from symphony.infrastructure.git.history import own_remotes
from tests.infrastructure.git.history.works import work_of


@pytest.mark.parametrize(
    ("limit", "setting"),
    [
        ("_MAX_PATHS", "remote.other.url"),
        ("_MAX_REWRITES", "url.https://example.org/.insteadOf"),
    ],
)
def test_beyond_its_limits_no_remote_proves_anything(
    limit: str, setting: str, repo: Repository, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.git("config", setting, "../elsewhere")
    assert work_of(repo, copies).unpushed_commits == 0
    monkeypatch.setattr(own_remotes, limit, 0)
    assert work_of(repo, copies).unpushed_commits == 2


@pytest.mark.parametrize(
    "url",
    ["~/repo", "host:repo", "user@host:.", "https://host/.", "ext::sh -c .", "/", "a:b/../repo",
     "\u2028", "../" * 3000, "--upload-pack=.", "nowhere", "origin/../../origin"],
)  # fmt: skip
def test_another_address_is_another_remote(url: str, repo: Repository, copies: Path) -> None:
    repo.git("config", "remote.origin.url", url)
    assert work_of(repo, copies).unpushed_commits == 0

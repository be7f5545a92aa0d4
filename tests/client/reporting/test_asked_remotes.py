"""Which branches remotes have, asked with the user's own git."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository
from symphony.client.reporting import asked_remotes
from symphony.client.reporting.asked_remotes import ask
from symphony.client.reporting.inspection import find_repositories, inspect_all
from symphony.infrastructure.git.history.memory import Memories
from tests.client.raw_server import http_answer, raw_server
from tests.support.remotes import Listener


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Repository, str]]:
    """A repository and its address at a server."""
    served = Repository.with_commits(tmp_path / "served/engine", "file")
    served.git("branch", "topic")
    with git_daemon(tmp_path / "served") as address:
        yield served, f"{address}/engine"


@pytest.fixture
def silent() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


async def test_the_branches_of_a_remote_are_asked(served: tuple[Repository, str]) -> None:
    repository, address = served
    answers = await ask([address])
    assert answers[address].branches == dict.fromkeys(("main", "topic"), repository.head)
    assert answers[address].default_branch == "main"
    assert (answers[address].remote_url, answers[address].is_complete) == (address, True)


@pytest.mark.long
async def test_what_was_asked_counts_in_the_inspection_and_is_reported(
    served: tuple[Repository, str], root: Path, tmp_path: Path
) -> None:
    repository, address = served
    clone = repository.clone(root / "clone")
    clone.git("remote", "set-url", "origin", address)
    clone.git("fetch", "--quiet")
    other = repository.clone(tmp_path / "other")
    other.commit("later")
    repository.git("checkout", "--quiet", "topic")
    other.git("push", "--quiet")
    paths = await find_repositories([root])
    (before,) = await inspect_all([root], paths, Memories())
    (after,) = await inspect_all([root], paths, Memories(), fetch_state=True)
    assert (before.status.is_behind, after.status.is_behind) == (False, True)
    assert before.status.as_of is not None
    assert after.status.as_of is not None
    assert (before.status.as_of.source, after.status.as_of.source) == ("fetch", "sync")
    heads = {each.branch: each.head for each in after.remote_heads}
    assert heads == {"main": other.head, "topic": clone.head}
    assert {each.branch: each.head for each in before.remote_heads}["main"] == clone.head


@pytest.mark.parametrize(
    "address",
    [
        "{path}",
        "file://{path}",
        "ext::git-upload-pack {path}",
        "--upload-pack=touch {path}/owned",
        "-u",
        "origin",
    ],
)
async def test_nothing_but_a_host_is_asked(tmp_path: Path, address: str) -> None:
    path = Repository.with_commits(tmp_path / "here", "file").path
    assert await ask([address.format(path=path)]) == {}
    assert not (path / "owned").exists()


async def test_an_address_cannot_become_another_transport(home: Path, tmp_path: Path) -> None:
    """`insteadOf` of the user applies, and the transports stay limited."""
    path = Repository.with_commits(tmp_path / "here", "file").path
    (home / ".gitconfig").write_text(
        f'[url "{path}"]\n\tinsteadOf = https://git.example.org/here\n'
        f'[url "ext::git-upload-pack {path}"]\n\tinsteadOf = https://git.example.org/ext\n'
        "[protocol]\n\tallow = always\n"
    )
    assert await ask(["https://git.example.org/here", "https://git.example.org/ext"]) == {}


async def test_the_configuration_of_a_repository_is_not_read(
    served: tuple[Repository, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = served
    around = Repository.with_commits(tmp_path / "around", "file")
    around.git("config", "url.https://127.0.0.1:1/.insteadOf", "git://")
    temporary = around.path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(around.path)
    monkeypatch.setenv("GIT_DIR", str(around.git_directory))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert address in await ask([address])


async def test_nobody_is_asked_for_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    program = tmp_path / "askpass"
    program.write_text(f"#!/bin/sh\ntouch {asked}\necho secret\n")
    program.chmod(0o755)
    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.setenv(name, str(program))
    answer = http_answer(b"", "401 Unauthorized", "text/plain", 'WWW-Authenticate: Basic realm="x"')
    with raw_server(answer) as server:
        assert await ask([f"{server.url}/engine"]) == {}
        assert server.heads
    assert not asked.exists()


async def test_ssh_is_the_user_s_own_and_asks_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, arguments = tmp_path / "my-ssh", tmp_path / "arguments"
    program.write_text(f'#!/bin/sh\necho "$@" >> {arguments}\nexit 1\n')
    program.chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\tsshCommand = {program} -i my-key\n")
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    monkeypatch.delenv("GIT_SSH", raising=False)
    assert await ask(["git@git.example.org:engine"]) == {}
    given = arguments.read_text()
    assert given.startswith("-i my-key -oBatchMode=yes")
    assert "git@git.example.org" in given


@pytest.mark.long
async def test_a_remote_that_does_not_answer_is_left_out(
    served: tuple[Repository, str], silent: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_remotes, "_TIME_LIMIT", 1.0)
    _, address = served
    started = time.monotonic()
    answers = await ask([f"git://127.0.0.1:{silent.port}/engine", address])
    assert set(answers) == {address}
    assert time.monotonic() - started < 8


async def test_a_remote_that_sends_too_much_is_left_out(
    served: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_remotes, "_MAX_OUTPUT", 20)
    assert await ask([served[1]]) == {}


async def test_without_git_nothing_is_asked(
    served: tuple[Repository, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert os.environ["PATH"] == str(tmp_path)
    assert await ask([served[1]]) == {}

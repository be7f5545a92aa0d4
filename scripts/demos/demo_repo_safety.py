"""Repo safety: what a hostile repository, or a curious user, cannot do."""

import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import outcome, sign_up
from scripts.demos.support.workspace import Workspace
from scripts.support.git_repository import Repository

# The status of a folder that cannot be read: nothing of it is known.
COUNTS = ("staged", "modified", "untracked", "conflicted", "stashes")
UNREAD: dict[str, Any] = {
    **dict.fromkeys(COUNTS, 0),
    **dict.fromkeys(("branch", "head", "upstream", "ahead", "behind", "operation")),
    "remotes": {},
}


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        home = Path(temporary).resolve()
        dev = home / "dev"
        dev.mkdir()
        with running_server("--git-root", str(dev)) as server, server.client() as client:
            ada = sign_up(client, "ada")
            thesis = Workspace(ada, ada.create_workspace("Thesis"))
            hostile_configuration(stage, thesis, dev, outside=home / "planted")
            unreadable(stage, thesis, dev, outside=home / "outside")
            public_remotes_only(stage, thesis, dev)
            one_answer_for_unknown_and_private(stage, thesis, dev)
        no_folders(stage, dev)


def hostile_configuration(stage: Stage, thesis: Workspace, dev: Path, outside: Path) -> None:
    stage.step("A repository from a stranger, with programs planted in its configuration")
    outside.mkdir()
    mark, program = outside / "mark", outside / "program"
    program.write_text(f'#!/bin/sh\necho run >> "{mark}"\n')
    program.chmod(0o755)
    repositories = {
        setting: Repository.with_commits(dev / setting, "a")
        for setting in ("core.fsmonitor", "filter.evil.clean", "core.hooksPath")
    }
    repositories["filter.evil.clean"].write(".git/info/attributes", "* filter=evil\n")
    (outside / "post-index-change").symlink_to(program)
    for setting, repository in repositories.items():
        repository.git("config", setting, str(outside if setting == "core.hooksPath" else program))
        _change_time(repository)
    stage.run(
        "git config --list | grep -e fsmonitor -e clean -e hooksPath",
        "core.fsmonitor=/…/program\nfilter.evil.clean=/…/program\ncore.hooksPath=/…/planted",
    )
    stage.exchange(thesis.get_status(repositories["core.fsmonitor"].path), "state", "branch")
    states = {thesis.status(each.path)["state"] for each in repositories.values()}
    stage.why(
        "`git status` in a downloaded folder can run whatever its author has planted there."
        " Symphony inspects a copy of the configuration from which all programs are removed."
    )
    stage.expect("Symphony runs none of the three programs", not mark.exists())
    stage.expect("Symphony reports the right status", states == {"clean"})
    for setting, repository in repositories.items():
        repository.git("status")
        stage.expect(f"plain `git status` runs the program in {setting}", mark.exists())
        mark.unlink()


def unreadable(stage: Stage, thesis: Workspace, dev: Path, outside: Path) -> None:
    stage.step("A folder that cannot be read has a state too, with a reason")
    empty = dev / "empty folder"
    empty.mkdir()
    secret = Repository.with_commits(outside, "diary")
    link = dev / "link to a diary"
    link.symlink_to(secret.path)
    pointer = dev / "git file that points outside"
    pointer.mkdir()
    (pointer / ".git").write_text(f"gitdir: {secret.path / '.git'}\n")
    broken = Repository.with_commits(dev / "damaged index", "a")
    (broken.path / ".git" / "index").write_text("not an index")
    expected = [
        (dev / "deleted folder", "missing"),
        (empty, "not-a-repository"),
        (secret.path, "refused"),
        (outside.with_name("nothing there"), "refused"),
        (link, "refused"),
        (pointer, "refused"),
        (broken.path, "error"),
    ]
    found = [thesis.status(path) for path, _ in expected]
    stage.exchange(thesis.get_status(link), "state", "reason", "branch", "head")
    stage.table(
        *("folder", "state", "reason"),
        rows=[
            (path.name, each["state"], each["reason"])
            for (path, _), each in zip(expected, found, strict=True)
        ],
    )
    stage.why(
        "one broken folder does not break a list of a hundred; and a link cannot be used to"
        " read a repository outside of the folders that the operator has named."
    )
    for (path, state), each in zip(expected, found, strict=True):
        stage.expect(
            f"{path.name}: {state}, and nothing else is reported",
            each["state"] == state and each.items() >= UNREAD.items(),
        )
    stage.expect(
        "outside, what exists and what does not look the same",
        found[2] | {"observed_at": None} == found[3] | {"observed_at": None},
    )


def public_remotes_only(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("The server does not call addresses of its own network for a user")
    ada = thesis.ada
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = dict[str, httpx.Response]()
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            repo = thesis.register(dev / "engine", remote_url=f"http://{host}:{port}/engine.git")
            refused[host] = ada.call("POST", f"{repo}/sync")
        stage.exchange(refused["localhost"])
        stage.why(
            "otherwise a user could reach services behind the firewall through Symphony."
            " An operator who wants that sets SYMPHONY_GIT_ALLOW_PRIVATE_REMOTES."
        )
        for host, answer in refused.items():
            stage.expect(f"{host} is refused", outcome(answer) == "502 remote-failed")
        listener.settimeout(0)
        try:
            listener.accept()
            is_called = True
        except BlockingIOError:
            is_called = False
        stage.expect("no connection has been opened", not is_called)


def one_answer_for_unknown_and_private(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("Ada cannot find out which names the server's network has")
    ada = thesis.ada
    details = dict[str, str]()
    for host in ("localhost", "no-such-name.invalid"):
        repo = thesis.register(dev / "engine", remote_url=f"https://{host}/engine.git")
        answer = ada.call("POST", f"{repo}/sync")
        details[host] = answer.json()["detail"]
    stage.table("host", "detail", rows=details.items())
    stage.why("different answers would show which names exist behind the firewall.")
    stage.expect("both answers are the same", len(set(details.values())) == 1)
    body = {"name": "two hosts", "path": "/x", "remote_url": "git://192.0.2.1?.example.org/engine"}
    refused = stage.exchange(ada.call("POST", f"/workspaces/{thesis.id}/repos", json=body))
    stage.why(
        "the host ends at the question mark for some programs, and at the slash for git, which"
        " would look the longer name up by itself."
    )
    stage.expect("such an address is refused", outcome(refused) == "422 validation-error")


def no_folders(stage: Stage, dev: Path) -> None:
    stage.step("A server without --git-root inspects nothing")
    with running_server() as server, server.client() as client:
        ada = sign_up(client, "ada")
        repo = Workspace(ada, ada.create_workspace("Thesis")).register(dev / "engine")
        refused = stage.exchange(ada.call("GET", f"{repo}/status"))
        stage.why("reading the disk is something that the operator switches on, per folder.")
        stage.expect("the status is refused", outcome(refused) == "403 git-disabled")


def _change_time(repository: Repository) -> None:
    """Give a file another time, so that git has to compare its content."""
    os.utime(repository.path / "a", ns=(10**18, 10**18))


if __name__ == "__main__":
    perform(story)

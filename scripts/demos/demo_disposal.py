"""Disposal: may this folder be deleted without losing anything?"""

import tempfile
from pathlib import Path

import httpx

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.git_daemon import git_daemon
from scripts.support.git_repository import Repository

IGNORED = ".env\nnode_modules/\n*.log\n"


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        home = Path(temporary).resolve()
        dev = home / "dev"
        dev.mkdir()
        remote = Repository.with_commits(home / "served" / "engine", "notes")
        remote.commit(".gitignore", IGNORED)
        remote.commit("package.json", "{}\n")
        with (
            git_daemon(remote.path.parent) as address,
            # The remote of the demo is on this machine.
            running_server("--git-root", str(dev), GIT_ALLOW_PRIVATE_REMOTES="true") as server,
            server.client() as client,
        ):
            ada = sign_up(client, "ada")
            clone = remote.clone(dev / "engine")
            clone.git("remote", "set-url", "origin", f"{address}/engine")
            repo = ada.create(
                f"/workspaces/{ada.create_workspace('Thesis')}/repos",
                name="engine",
                path=str(clone.path),
                remote_url=f"{address}/engine",
            )
            path = f"/repos/{repo['id']}"
            finished(stage, ada, path, clone)
            secrets(stage, ada, path, clone)
            squash_merged(stage, ada, path, clone, remote)
            stale_knowledge(stage, ada, path, clone, remote)
            isolation(stage, client, path)


def get_disposal(user: User, path: str) -> httpx.Response:
    return user.call("GET", f"{path}/disposal").raise_for_status()


def kinds(answer: httpx.Response) -> list[str]:
    return [each["kind"] for each in answer.json()["evidence"]]


def finished(stage: Stage, ada: User, path: str, clone: Repository) -> None:
    stage.step("A clone in which all is done")
    clone.write("node_modules/left-pad/test/fixture.pem")
    clone.write("debug.log")
    answer = stage.exchange(get_disposal(ada, path), "verdict", "evidence")
    stage.why(
        "the disk is full, and this folder was not opened for a year. Everything in it is at the"
        " remote, and what is ignored can be made again: node_modules, with the certificates of"
        " some package's tests, and a log."
    )
    stage.expect("the verdict is safe", answer.json()["verdict"] == "safe")
    stage.expect("nothing speaks against it", kinds(answer) == [])


def secrets(stage: Stage, ada: User, path: str, clone: Repository) -> None:
    stage.step("The same clone with a file that `git status` never shows")
    clone.write(".env", "TOKEN=only here\n")
    answer = stage.exchange(get_disposal(ada, path), "verdict", "evidence")
    stage.why("git ignores .env, so no remote has it. The answer names the file, not its content.")
    stage.expect("the verdict is unsafe", answer.json()["verdict"] == "unsafe")
    stage.expect("because of ignored secrets", kinds(answer) == ["ignored-secrets"])
    stage.expect("the content is not told", "only here" not in answer.text)
    (clone.path / ".env").unlink()


def squash_merged(
    stage: Stage, ada: User, path: str, clone: Repository, remote: Repository
) -> None:
    stage.step("A branch that was squash-merged, and one that was not")
    clone.git("switch", "--quiet", "--create", "topic")
    for content in ("a first try\n", "the second try\n"):
        clone.commit("topic", content)
    clone.git("switch", "--quiet", "--create", "idea", "main")
    clone.commit("idea")
    clone.git("switch", "--quiet", "main")
    remote.commit("topic", "the second try\n")
    clone.git("fetch", "--quiet", remote.path.as_uri(), "+refs/heads/*:refs/remotes/origin/*")
    answer = stage.exchange(get_disposal(ada, path), "verdict", "evidence")
    stage.why(
        "the commits of `topic` are nowhere else, but its change is in main as one commit: proved,"
        " not guessed. The commit of `idea` is only here."
    )
    stage.expect("only the other branch speaks against it", kinds(answer) == ["unpushed"])
    detail = answer.json()["evidence"][0]["detail"]
    stage.expect("it is named", "idea" in detail and "topic" not in detail, detail)
    clone.git("branch", "--quiet", "--delete", "--force", "idea")
    stage.expect("without it, the folder is safe", get_disposal(ada, path).json()["evidence"] == [])


def stale_knowledge(
    stage: Stage, ada: User, path: str, clone: Repository, remote: Repository
) -> None:
    stage.step("A branch that was pushed, and deleted at the remote since then")
    clone.git("switch", "--quiet", "--create", "shared")
    clone.commit("shared")
    clone.git("push", "--quiet", remote.path.as_uri(), "shared")
    clone.git("update-ref", "refs/remotes/origin/shared", "shared")
    before = get_disposal(ada, path)
    remote.git("branch", "--quiet", "--delete", "--force", "shared")
    ada.call("POST", f"{path}/sync").raise_for_status()
    after = stage.exchange(get_disposal(ada, path), "verdict", "evidence")
    stage.why(
        "the clone still believes that the commit is at the remote. A sync has seen that it is not,"
        " so this clone may be the last place that has it."
    )
    stage.expect("before the sync it was thought to be safe", before.json()["verdict"] == "safe")
    stage.expect("after it, it is not", after.json()["verdict"] != "safe")
    stage.expect("because of what the sync saw", kinds(after) == ["outdated-remote"])


def isolation(stage: Stage, client: httpx.Client, path: str) -> None:
    stage.step("Another user who asks")
    eve = sign_up(client, "eve")
    foreign = stage.exchange(eve.call("GET", f"{path}/disposal"))
    stage.expect("the repo does not exist for Eve", outcome(foreign) == "404 repo-not-found")


if __name__ == "__main__":
    perform(story)

"""Machines: a laptop, a desktop and a lost tablet report what they have; one board shows it all."""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from scripts.demos.support.demo_server import Server, running_server
from scripts.demos.support.stage import Stage, perform
from scripts.demos.support.user import User, outcome, sign_up
from scripts.support.git_repository import Repository
from scripts.support.service_process import SYMPHONY

REMOTE = "https://git.example.org/ada/engine.git"
BY_SSH = "git@git.example.org:ada/engine"
AT_RISK = 3  # the exit status of `symphony board --quiet`


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer: a home directory of its own, in which Ada works and runs `symphony`."""

    name: str
    home: Path
    stage: Stage

    @classmethod
    def created(cls, name: str, folder: Path, stage: Stage) -> Self:
        home = folder / name / "ada"
        (home / "dev").mkdir(parents=True)
        return cls(name, home, stage)

    def clone(self, remote: Path, address: str) -> Repository:
        """Clone the repository that everybody calls by an address of a host."""
        engine = Repository(remote).clone(self.home / "dev/engine")
        engine.git("remote", "set-url", "origin", address)
        return engine

    def symphony(self, *arguments: str, shown: str = "", expected: int = 0) -> str:
        """Run the command as Ada does on this machine, and show it. Returns what it prints."""
        words = [each.replace(str(self.home), "~") for each in arguments]
        done = subprocess.run(  # noqa: S603 - our own program
            [SYMPHONY, *arguments],
            cwd=self.home,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "LC_ALL": "C.UTF-8",
                "TMPDIR": os.environ.get("TMPDIR", tempfile.gettempdir()),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        output = (done.stdout + done.stderr).replace(str(self.home), "~")
        # The machines of this demo are directories of one: `/home/ada` on each of them.
        output = re.sub(rf"{re.escape(str(self.home.parents[1]))}/\w+/ada", "/home/ada", output)
        self.stage.run(shown or f"symphony {' '.join(words)}", output)
        what = f"on the {self.name}: exit status {expected}"
        self.stage.expect(what, done.returncode == expected, output if done.returncode else "")
        return done.stdout


@dataclass(frozen=True, slots=True)
class Scene:
    stage: Stage
    ada: User
    server: Server
    remote: Path
    laptop: Machine
    desktop: Machine

    def board(self) -> Sequence[dict[str, Any]]:
        """Return the items of the board."""
        path = f"/user-profiles/{self.ada.id}/attention"
        return self.ada.call("GET", path).raise_for_status().json()["items"]


def push(repository: Repository, remote: Path, *branches: str) -> None:
    """Push as if the address of the remote led to the bare repository of this demo."""
    _with_remote(repository, remote, "push", "--quiet", "origin", *branches)


def fetch(repository: Repository, remote: Path) -> None:
    _with_remote(repository, remote, "fetch", "--quiet", "origin")


def _with_remote(repository: Repository, remote: Path, *arguments: str) -> None:
    address = repository.git("remote", "get-url", "origin")
    repository.git("-c", f"url.{remote.as_uri()}.insteadOf={address}", *arguments)


def story(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="symphony-demo-") as temporary:
        folder = Path(temporary).resolve()
        remote = Repository.created(folder / "remote.git", "--bare").path
        seed = Repository.with_commits(folder / "seed", "notes")
        seed.git("push", "--quiet", remote.as_uri(), "main")
        with running_server() as server, server.client() as http:
            ada = sign_up(http, "ada")
            ada.create_workspace("Personal")
            machines = [Machine.created(name, folder, stage) for name in ("laptop", "desktop")]
            scene = Scene(stage, ada, server, remote, *machines)
            engine = laptop_begins(scene)
            other = desktop_reports(scene)
            nothing_hides(scene, engine)
            laptop_pushes(scene, engine, other)
            from_everywhere(scene)
            tablet_is_lost(scene, folder)


def laptop_begins(scene: Scene) -> Repository:
    stage, laptop = scene.stage, scene.laptop
    stage.step("On the laptop: sign in, import, report")
    stage.say(
        "The server runs elsewhere and sees no disk of Ada's: it has no git roots. It knows what"
        " her machines report."
    )
    engine = laptop.clone(scene.remote, REMOTE)
    engine.commit("loops")
    token = scene.ada.create("/api-tokens", name="laptop", scopes=["read", "write"])["token"]
    laptop.symphony(
        "login", scene.server.address, "--token", token, shown="symphony login --token sym_…"
    )
    dev = str(laptop.home / "dev")
    laptop.symphony("import", dev, "--all", "--workspace", "Personal")
    laptop.symphony("report", "--root", dev, "--machine", "laptop")
    laptop.symphony("board")
    (item,) = scene.board()
    stage.expect("engine is on the board: a commit is unpushed", "unpushed" in item["reasons"])
    stage.expect("it is at risk", item["at_risk"] is True)
    (checkout,) = item["checkouts"]
    stage.expect("the board says where", checkout["machine"]["name"] == "laptop")
    return engine


def desktop_reports(scene: Scene) -> Repository:
    stage, desktop = scene.stage, scene.desktop
    stage.step("The desktop reports too, with a token that can do nothing else")
    other = desktop.clone(scene.remote, BY_SSH)
    stage.say(f"Its clone has another address for the same remote: {BY_SSH}")
    machine = scene.ada.create("/machines", name="desktop")
    created = scene.ada.call(
        "POST",
        "/api-tokens",
        json={"name": "desktop", "scopes": ["report"], "machine_id": machine["id"]},
    )
    stage.exchange(created, "name", "scopes", "machine_id")
    token = created.raise_for_status().json()["token"]
    desktop.symphony(
        *("report", "--root", str(desktop.home / "dev")),
        *("--url", scene.server.address, "--token", token),
        shown="symphony report --root ~/dev --token sym_…",
    )
    stage.why("A token on a machine that is stolen tells the thief nothing of the other ones.")
    repo = scene.board()[0]["id"]
    answer = scene.ada.call("GET", f"/repos/{repo}/checkouts")
    stage.exchange(answer, "machine", "path", "branch", "reasons", "at_risk")
    names = [each["machine"]["name"] for each in answer.json()["items"]]
    stage.expect("the repo has two checkouts", sorted(names) == ["desktop", "laptop"])
    return other


def nothing_hides(scene: Scene, engine: Repository) -> None:
    stage, laptop = scene.stage, scene.laptop
    stage.step("Before leaving: is anything only on this disk?")
    engine.write("loops", "a better idea, not committed\n")
    laptop.symphony("report", "--root", str(laptop.home / "dev"), "--machine", "laptop")
    laptop.symphony("board", "--quiet", expected=AT_RISK)
    stage.why(
        "The exit status 3 is for scripts and the prompt of a shell: something would be lost with"
        " a disk, or may be."
    )
    laptop.symphony("status", str(engine.path))


def laptop_pushes(scene: Scene, engine: Repository, other: Repository) -> None:
    stage, laptop, desktop = scene.stage, scene.laptop, scene.desktop
    stage.step("The laptop commits and pushes; the desktop is behind")
    engine.git("commit", "--quiet", "--all", "--message", "A better idea")
    push(engine, scene.remote, "main")
    laptop.symphony("report", "--root", str(laptop.home / "dev"), "--machine", "laptop")
    fetch(other, scene.remote)
    scene.stage.say("The desktop has fetched, and not merged.")
    token = _token(scene, "desktop")
    desktop.symphony(
        *("report", "--root", str(desktop.home / "dev")),
        *("--url", scene.server.address, "--token", token),
        shown="symphony report --root ~/dev --token sym_…",
    )
    laptop.symphony("board")
    (item,) = scene.board()
    reasons = {each["machine"]["name"]: each["reasons"] for each in item["checkouts"]}
    stage.expect("nothing is left to do on the laptop", reasons["laptop"] == [])
    stage.expect("the desktop is behind", reasons["desktop"] == ["behind"])
    stage.expect("nothing is at risk any more", item["at_risk"] is False)
    laptop.symphony("board", "--quiet")


def _token(scene: Scene, machine: str) -> str:
    machines = scene.ada.call("GET", "/machines").raise_for_status().json()["items"]
    (found,) = [each["id"] for each in machines if each["name"] == machine]
    fields = {"name": machine, "scopes": ["report"], "machine_id": found}
    return scene.ada.create("/api-tokens", **fields)["token"]


def from_everywhere(scene: Scene) -> None:
    stage, laptop = scene.stage, scene.laptop
    stage.step("Names in place of paths")
    printed = laptop.symphony("path", "engine")
    path = str(laptop.home / "dev/engine")
    stage.expect("it is the checkout on this machine", printed.strip() == path)
    stage.say('For a shell: cd "$(symphony path engine)"')


def tablet_is_lost(scene: Scene, folder: Path) -> None:
    stage = scene.stage
    stage.step("A machine is lost")
    tablet = Machine.created("tablet", folder, stage)
    sketch = tablet.clone(scene.remote, REMOTE)
    sketch.git("switch", "--quiet", "--create", "sketch")
    sketch.commit("sketch")
    machine = scene.ada.create("/machines", name="tablet")
    token = _token(scene, "tablet")
    tablet.symphony(
        *("report", "--root", str(tablet.home / "dev")),
        *("--url", scene.server.address, "--token", token),
        shown="symphony report --root ~/dev --token sym_…",
    )
    scene.laptop.symphony("board", "--at-risk")
    (item,) = scene.board()
    lost = [each["branch"] for each in item["checkouts"] if each["at_risk"]]
    stage.expect("what is lost is known: the branch of the tablet", lost == ["sketch"])
    deleted = scene.ada.call("DELETE", f"/machines/{machine['id']}")
    stage.exchange(deleted)
    stage.expect("the machine is deleted", deleted.status_code == 204)
    (item,) = scene.board()
    names = [each["machine"]["name"] for each in item["checkouts"]]
    stage.expect("its checkouts are gone", "tablet" not in names)
    headers = {"Authorization": f"Bearer {token}"}
    refused = scene.ada.call("GET", "/api-tokens/current", headers=headers)
    stage.expect("its token is revoked", outcome(refused) == "401 unauthenticated")


if __name__ == "__main__":
    perform(story)

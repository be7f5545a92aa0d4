"""Repositories that another user has prepared: one is a trap for memory, one for secrets."""

from pathlib import Path

from scripts.demos.support.demo_server import running_server
from scripts.demos.support.stage import Stage
from scripts.demos.support.user import sign_up
from scripts.demos.support.workspace import Workspace
from scripts.support.git_repository import Repository
from scripts.support.tree_bomb import write_tree_bomb
from symphony.infrastructure.git.process.resource_limits import CAN_LIMIT_OTHERS

TREE = 400 << 20  # bytes of each of four trees


def hostile_repositories(stage: Stage, base: Path) -> None:
    dev = base / "dev"
    dev.mkdir(parents=True)
    with running_server("--git-root", str(dev)) as server, server.client() as client:
        ada = sign_up(client, "ada")
        thesis = Workspace(ada, ada.create_workspace("Thesis"))
        link_to_a_private_commit(stage, thesis, dev, base / "home")
        if CAN_LIMIT_OTHERS:  # not on macOS
            tree_bomb(stage, thesis, dev)


def link_to_a_private_commit(stage: Stage, thesis: Workspace, dev: Path, home: Path) -> None:
    stage.step("A repository whose commit is a link to one in a private repository")
    home.mkdir(mode=0o700)
    diary = Repository.with_commits(home / "diary", "a secret plan")
    copy = Repository.created(dev / "copy")
    commit = diary.git("rev-parse", "HEAD").strip()
    copy.write(".git/refs/heads/main", f"{commit}\n")
    object_file = Path(".git/objects", commit[:2], commit[2:])
    (copy.path / object_file).parent.mkdir()
    (copy.path / object_file).symlink_to(diary.path / object_file)
    stage.run(f"ls -l dev/copy/.git/objects/{commit[:2]}", f"{commit[2:12]}… -> /…/home/diary/…")
    status = stage.exchange(thesis.get_status(copy.path), "state", "reason", "head").json()
    stage.why(
        "git follows the link, so the status would show the message and the author of a commit that"
        " this user may not read."
    )
    stage.expect("the repository is `refused`", status["state"] == "refused")
    stage.expect("the commit is not shown", status["head"] is None)


def tree_bomb(stage: Stage, thesis: Workspace, dev: Path) -> None:
    stage.step("A repository of a few MiB that takes gigabytes of memory")
    bomb, chapter = Repository.created(dev / "bomb"), Repository.with_commits(dev / "chapter", "a")
    chapter.write("notes")
    write_tree_bomb(bomb, TREE)
    size = sum(each.stat().st_size for each in bomb.path.rglob("*") if each.is_file())
    stage.run("du -sh bomb", f"{size >> 20}M\tbomb")
    status = stage.exchange(thesis.get_status(bomb.path), "state", "reason").json()
    thesis.get_status(chapter.path)
    board = stage.exchange(thesis.ada.call("GET", f"/user-profiles/{thesis.ada.id}/attention"))
    stage.why(
        "git reads a tree as a whole, and here each of them is 400 MiB. The operating system stops"
        " git at 768 MiB, so one repository cannot take the memory of the machine."
    )
    stage.expect("the repository is an `error`", status["state"] == "error")
    limits = ("768 MiB of memory", "longer than 10 seconds")  # the latter on a busy machine
    stage.expect("the reason names the limit", any(each in status["reason"] for each in limits))
    reasons = {each["name"].split()[0]: each["reasons"] for each in board.json()["items"]}
    stage.expect("the board shows all others", reasons["chapter"] == ["dirty", "no-remote"])
    stage.expect("and this one as unreadable", reasons["bomb"] == ["unreadable"])

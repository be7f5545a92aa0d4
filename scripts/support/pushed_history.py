"""Repositories with a history and branches, half of which are pushed: imported at once, for
measurements."""

from collections.abc import Mapping
from pathlib import Path

from scripts.support.git_repository import Repository

CHANGED_FILE = "changes-0"
"""A file that commits on main have changed."""
_CHANGED_FILES = 10
_NO_FILES: Mapping[str, str] = {}


def create_repository(
    path: Path, *, commits: int, branches: int, files: Mapping[str, str] = _NO_FILES
) -> Repository:
    """Create a repository with so many commits on main, the first of which has the files.

    Each of the other branches has a commit of its own; every second one is pushed, and main.
    """
    path.mkdir()
    repository = Repository(path)
    repository.git("init", "--quiet", "--initial-branch=main")
    stream = [_commit("main", 0, files)] if files else []
    for number in range(len(stream), commits):
        changes = {f"changes-{number % _CHANGED_FILES}": f"{path.name} {number}\n"}
        stream.append(_commit("main", number, changes))
    for number in range(1, branches):
        name = f"branch-{number}"
        change = {name: f"{path.name} {number}\n"}
        stream.append(_commit(name, number, change, start="refs/heads/main"))
        if number % 2:
            stream.append(_reset(f"refs/remotes/origin/{name}", name))
    stream.append(_reset("refs/remotes/origin/main", "main"))
    repository.git("fast-import", "--quiet", stdin="".join(stream))
    repository.git("reset", "--quiet", "--hard")
    repository.git("remote", "add", "origin", f"https://git.example.org/{path.name}")
    repository.git("config", "branch.main.remote", "origin")
    repository.git("config", "branch.main.merge", "refs/heads/main")
    return repository


def _commit(branch: str, number: int, files: Mapping[str, str], *, start: str = "") -> str:
    message = f"{branch} {number}"
    parent = f"from {start}\n" if start else ""
    changes = "".join(
        f"M 100644 inline {name}\ndata {len(text.encode())}\n{text}\n"
        for name, text in files.items()
    )
    return (
        f"commit refs/heads/{branch}\ncommitter A <a@example.org> {1_700_000_000 + number} +0000\n"
        f"data {len(message)}\n{message}\n{parent}{changes}\n"
    )


def _reset(ref: str, branch: str) -> str:
    return f"reset {ref}\nfrom refs/heads/{branch}\n\n"

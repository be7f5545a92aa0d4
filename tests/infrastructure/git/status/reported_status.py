"""The status of a repository by `git status` itself."""

from typing import Any

from scripts.support.git_repository import Repository

_HEADERS = {"branch.oid": "head", "branch.head": "branch", "branch.upstream": "upstream"}
_NOT_A_NAME = {"(initial)", "(detached)", "(null)"}
_FILE_COUNTS = ("staged", "modified", "untracked", "conflicted")


def reported_status(repo: Repository, **variables: str) -> dict[str, Any]:
    """Return what `git status` reports, by the fields of a RepoStatus."""
    command = ("status", "--porcelain=v2", "--branch", "--show-stash")
    output = repo.git("--no-optional-locks", *command, check=True, **variables)
    status: dict[str, Any] = {
        **dict.fromkeys(("branch", "head", "upstream", "ahead", "behind")),
        **dict.fromkeys((*_FILE_COUNTS, "stashes"), 0),
    }
    for line in output.splitlines():
        kind, *words = line.split(" ")
        if kind in {"1", "2"}:
            status["staged"] += words[0][0] != "."
            status["modified"] += words[0][1] != "."
        elif kind in {"u", "?"}:
            status["conflicted" if kind == "u" else "untracked"] += 1
        elif words[0] in _HEADERS and words[1] not in _NOT_A_NAME:
            status[_HEADERS[words[0]]] = words[1]
        elif words[0] == "branch.ab":
            status["ahead"], status["behind"] = int(words[1]), -int(words[2])
        elif words[0] == "stash":
            status["stashes"] = int(words[1])
    status["state"] = "dirty" if any(status[each] for each in _FILE_COUNTS) else "clean"
    return status

"""The route of a repo's status, with its response schema."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from symphony.api.compression import compressible
from symphony.api.dependencies import Actor, App
from symphony.api.fields import RepoId
from symphony.api.openapi.problem_responses import problem_responses
from symphony.api.responses import Observation, Representation
from symphony.api.routing import router
from symphony.application.orchestrations import repo_status
from symphony.domain.git.status import Operation, RepoState, RepoStatus
from symphony.domain.git.work import Integration, KnowledgeSource, WorkKind

routes = router("repos")
_COMMIT = "9f2c1f0c5d1b9d3b1f7ad5b8f3f4f1f2a0c4d7e6"


@dataclass(slots=True)
class HeadResponse(Representation):
    """The checked-out commit."""

    id: Annotated[str, Field(description="The commit's id.", examples=[_COMMIT])]
    subject: Annotated[
        str,
        Field(
            description="The first line of its message, up to 1,000 characters.",
            examples=["Note G: Bernoulli numbers"],
        ),
    ]
    author: Annotated[
        str,
        Field(description="The author's name, up to 1,000 characters.", examples=["Ada Lovelace"]),
    ]
    authored_at: Annotated[
        datetime | None,
        Field(
            description="When it was written; null if the commit has no valid time.",
            examples=["2026-11-15T17:02:11Z"],
        ),
    ]


def _since(description: str) -> Any:
    return Field(description=description, examples=["2026-11-15T17:02:11Z"])


def _count(description: str, example: int) -> Any:
    return Field(description=description, examples=[example])


@dataclass(slots=True)
class WorkItemResponse(Representation):
    """A branch, a detached HEAD or a tag, with what of it is on no remote."""

    kind: Annotated[WorkKind, Field(description="What it is.", examples=["branch"])]
    name: Annotated[
        str | None,
        Field(description="Its name; null for a detached HEAD.", examples=["notes-on-loops"]),
    ]
    worktree: Annotated[
        str | None,
        Field(
            description="The directory in which it is checked out; null if in none.",
            examples=[None],
        ),
    ]
    head: Annotated[str, Field(description="The id of its commit.", examples=[_COMMIT])]
    upstream: Annotated[
        str | None, Field(description="Its upstream; null without one.", examples=["origin/main"])
    ]
    ahead: Annotated[
        int | None,
        Field(description="How many commits the upstream lacks; null without one.", examples=[3]),
    ]
    behind: Annotated[
        int | None,
        Field(
            description="How many commits of the upstream it lacks; null likewise.", examples=[0]
        ),
    ]
    unpushed_commits: Annotated[
        int | None,
        Field(
            description="How many of its commits are on no remote-tracking branch; null if"
            " unknown.",
            examples=[3],
        ),
    ]
    integrated: Annotated[
        Integration,
        Field(
            description="Whether its change is in the default branch of the remote: `merged` if its"
            " commits are, `squashed` if the whole change is there in other commits.",
            examples=["no"],
        ),
    ]
    committed_at: Annotated[
        datetime | None,
        Field(
            description="When its commit was created; null if that has no valid time.",
            examples=["2026-11-15T17:02:11Z"],
        ),
    ]
    unpushed_since: Annotated[
        datetime | None,
        _since(
            "When the oldest of its unpushed commits was created; null if unknown, or without any."
        ),
    ]


@dataclass(slots=True)
class WorktreeResponse(Representation):
    """A linked worktree of the repository."""

    path: Annotated[
        str, Field(description="Its directory.", examples=["/home/ada/dev/engine-loops"])
    ]
    branch: Annotated[
        str | None,
        Field(description="Its branch; null if HEAD is detached.", examples=["notes-on-loops"]),
    ]
    head: Annotated[
        str | None,
        Field(
            description="The id of its commit; null if there is none, or unknown.",
            examples=[_COMMIT],
        ),
    ]
    state: Annotated[
        RepoState,
        Field(
            description="Its state, as that of a repo; `missing` if it was deleted.",
            examples=["dirty"],
        ),
    ]
    reason: Annotated[
        str | None, Field(description="Explains the state; otherwise null.", examples=[None])
    ]
    changed_since: Annotated[
        datetime | None,
        _since("Since when, at least, it has changes; null if unknown, or without any."),
    ]


@dataclass(slots=True)
class KnowledgeResponse(Representation):
    """How old the knowledge of the remote is."""

    source: Annotated[
        KnowledgeSource,
        Field(
            description="The last `fetch` into the repository, or the last `sync`.",
            examples=["fetch"],
        ),
    ]
    at: Annotated[
        datetime | None,
        Field(description="When it was; null if unknown.", examples=["2026-11-15T17:02:11Z"]),
    ]


@dataclass(slots=True)
class RepoStatusResponse(Observation):
    """The status of a repo's directory, from an inspection."""

    state: Annotated[
        RepoState,
        Field(
            description="The state of the directory; `refused` if it is outside the git roots of"
            " the service, or not safe to read.",
            examples=["dirty"],
        ),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Explains a state in which the status is incomplete, what is unknown,"
            " and what exists only here although git does not report it; otherwise null.",
            examples=[None],
        ),
    ]
    branch: Annotated[
        str | None,
        Field(description="The checked-out branch; null if HEAD is on none.", examples=["main"]),
    ]
    head: Annotated[
        HeadResponse | None,
        Field(
            description="The checked-out commit; null before the first commit.",
            examples=[
                {
                    "id": _COMMIT,
                    "subject": "Note G: Bernoulli numbers",
                    "author": "Ada Lovelace",
                    "authored_at": "2026-11-15T17:02:11Z",
                }
            ],
        ),
    ]
    upstream: Annotated[
        str | None,
        Field(
            description="The upstream of the branch; null without one.", examples=["origin/main"]
        ),
    ]
    ahead: Annotated[
        int | None,
        Field(
            description="The number of commits that the upstream lacks, as of the last fetch; null"
            " without an upstream.",
            examples=[1],
        ),
    ]
    behind: Annotated[
        int | None,
        Field(
            description="The number of upstream commits that the branch lacks; null likewise.",
            examples=[0],
        ),
    ]
    staged: Annotated[int, _count("The number of files that differ between HEAD and the index.", 1)]
    modified: Annotated[
        int, _count("The number of files and submodules that differ from the index.", 2)
    ]
    untracked: Annotated[
        int, _count("The number of files and directories that are neither tracked nor ignored.", 0)
    ]
    conflicted: Annotated[int, _count("The number of files with a conflict.", 0)]
    stashes: Annotated[int, _count("The number of stashes.", 0)]
    operation: Annotated[
        Operation | None,
        Field(
            description="The operation in progress, such as a merge; null without one.",
            examples=[None],
        ),
    ]
    remotes: Annotated[
        dict[str, str],
        Field(
            description="The remotes by name, each with its address without credentials.",
            examples=[{"origin": "https://git.example.org/ada/engine.git"}],
        ),
    ]
    unpushed_commits: Annotated[
        int | None,
        Field(
            description="How many commits a branch, a tag or the HEAD of a worktree reaches, and no"
            " remote-tracking branch; null if unknown.",
            examples=[3],
        ),
    ]
    work: Annotated[
        list[WorkItemResponse],
        Field(
            description="The branches, and the detached HEADs and tags with unpushed commits, the"
            " most recent ones first; at most 500."
        ),
    ]
    work_truncated: Annotated[
        bool, Field(description="Whether `work` is not complete.", examples=[False])
    ]
    worktrees: Annotated[
        list[WorktreeResponse],
        Field(description="The other worktrees of the repository, the main one first."),
    ]
    at_risk: Annotated[
        bool | None,
        Field(
            description="Whether something exists only here: changes in a worktree, stashes,"
            " commits that are on no remote and not integrated there; without a remote,"
            " any commit. Null if that could not be determined.",
            examples=[True],
        ),
    ]
    as_of: Annotated[
        KnowledgeResponse | None,
        Field(
            description="Where the knowledge of the remote comes from; null without a remote.",
            examples=[{"source": "fetch", "at": "2026-11-15T17:02:11Z"}],
        ),
    ]
    main_repository: Annotated[
        str | None,
        Field(
            description="The repository to which this linked worktree belongs; otherwise null.",
            examples=[None],
        ),
    ]
    changed_since: Annotated[
        datetime | None,
        _since(
            "Since when, at least, files are changed, an operation is in progress, or a submodule"
            " has work; null if unknown, or without any."
        ),
    ]
    stashed_since: Annotated[
        datetime | None,
        _since("When the oldest stash was created; null if unknown, or without any."),
    ]


@routes.get(
    "/repos/{repo_id}/status",
    summary="Inspect a repo",
    responses=problem_responses("git-disabled", "repo-not-found"),
)
@compressible
async def get_repo_status(repo_id: RepoId, actor: Actor, app: App) -> RepoStatusResponse:
    """Inspects the repo's directory now, without changing it.

    A directory that cannot be inspected is not an error: `state` and `reason` describe it.
    """
    status = await repo_status.get_repo_status(repo_status.GetRepoStatus(actor.reach, repo_id), app)
    return represented(status)


def represented(status: RepoStatus) -> RepoStatusResponse:
    """Represent the status of a repo, or of one of its checkouts."""
    shown = RepoStatusResponse.of(status)
    shown.head = None if status.head is None else HeadResponse.of(status.head)
    shown.work = WorkItemResponse.of_each(status.work)
    shown.worktrees = WorktreeResponse.of_each(status.worktrees)
    shown.as_of = None if status.as_of is None else KnowledgeResponse.of(status.as_of)
    return shown

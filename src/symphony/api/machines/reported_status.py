"""The schema of the status that a machine reports of a checkout: the JSON of a repo's status.

A report has thousands of values, so their types are checked by pydantic, not by functions of ours.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from symphony.api.fields import UtcTime
from symphony.api.problems.validation_errors import COMMIT_PATTERN, TEXT_PATTERN
from symphony.domain.git.status import Operation, RepoState
from symphony.domain.git.work import Integration, KnowledgeSource, WorkKind

MAX_TEXT = 1_000
MAX_REASON = 10_000
MAX_PATH = 4_096
MAX_URL = 2_048
MAX_REMOTES = 100
MAX_WORK = 500
MAX_WORKTREES = 500
_MAX_COUNT = 2**31 - 1
_COMMIT = "9f2c1f0c5d1b9d3b1f7ad5b8f3f4f1f2a0c4d7e6"
_TIME = "2026-11-15T17:02:11Z"


def text(description: str, example: str, max_length: int = MAX_TEXT) -> Any:
    """Return the field of a text that names something on the machine; NUL is not allowed."""
    return Field(
        description=description, examples=[example], max_length=max_length, pattern=TEXT_PATTERN
    )


def commit(description: str) -> Any:
    return Field(description=description, examples=[_COMMIT], pattern=COMMIT_PATTERN)


def _flag(description: str, *, example: bool) -> Any:
    return Field(description=description, examples=[example], strict=True)


_Count = Annotated[int, Field(ge=0, le=_MAX_COUNT, strict=True)]


def _count(description: str, example: int) -> Any:
    return Field(description=description, examples=[example])


def _since(description: str) -> Any:
    """Return a time that reporters of older versions do not send."""
    return Field(description=description, examples=[_TIME])


class Reported(BaseModel):
    """The base of what a report consists of: no other field is accepted. Every field is required,
    unless reporters of older versions do not send it."""

    model_config = ConfigDict(extra="forbid")


class ReportedHead(Reported):
    """The checked-out commit."""

    id: Annotated[str, commit("The commit's id.")]
    subject: Annotated[str, text("The first line of its message.", "Note G: Bernoulli numbers")]
    author: Annotated[str, text("The author's name.", "Ada Lovelace")]
    authored_at: Annotated[
        UtcTime | None,
        Field(
            description="When it was written; null if the commit has no valid time.",
            examples=[_TIME],
        ),
    ]


class ReportedWorkItem(Reported):
    """A branch, a detached HEAD or a tag, with what of it is on no remote."""

    kind: Annotated[WorkKind, Field(description="What it is.", examples=["branch"])]
    name: Annotated[str | None, text("Its name; null for a detached HEAD.", "notes-on-loops")]
    worktree: Annotated[
        str | None,
        text(
            "The directory in which it is checked out; null if in none.",
            "/home/ada/dev/engine",
            MAX_PATH,
        ),
    ]
    head: Annotated[str, commit("The id of its commit.")]
    upstream: Annotated[str | None, text("Its upstream; null without one.", "origin/main")]
    ahead: Annotated[
        _Count | None, _count("How many commits the upstream lacks; null without one.", 3)
    ]
    behind: Annotated[
        _Count | None, _count("How many commits of the upstream it lacks; null likewise.", 0)
    ]
    unpushed_commits: Annotated[
        _Count | None,
        _count("How many of its commits are on no remote-tracking branch; null if unknown.", 3),
    ]
    integrated: Annotated[
        Integration,
        Field(
            description="Whether its change is in the default branch of the remote.",
            examples=["no"],
        ),
    ]
    committed_at: Annotated[
        UtcTime | None,
        Field(
            description="When its commit was created; null if that has no valid time.",
            examples=[_TIME],
        ),
    ]
    unpushed_since: Annotated[
        UtcTime | None,
        _since(
            "When the oldest of its unpushed commits was created; null if unknown, or without any."
        ),
    ] = None


class ReportedWorktree(Reported):
    """Another worktree of the repository."""

    path: Annotated[str, text("Its directory.", "/home/ada/dev/engine-loops", MAX_PATH)]
    branch: Annotated[str | None, text("Its branch; null if HEAD is detached.", "notes-on-loops")]
    head: Annotated[str | None, commit("The id of its commit; null if there is none, or unknown.")]
    state: Annotated[RepoState, Field(description="Its state.", examples=["dirty"])]
    reason: Annotated[
        str | None,
        text("Explains the state; otherwise null.", "The directory does not exist.", MAX_REASON),
    ]
    changed_since: Annotated[
        UtcTime | None,
        _since("Since when, at least, it has changes; null if unknown, or without any."),
    ] = None


class ReportedKnowledge(Reported):
    """How old the knowledge of the remote is."""

    source: Annotated[KnowledgeSource, Field(description="Its source.", examples=["fetch"])]
    at: Annotated[
        UtcTime | None,
        Field(description="When it was; null if unknown.", examples=[_TIME]),
    ]


def _map_of_texts(schema: dict[str, Any]) -> None:
    """Describe a map by its values: generators of clients know no patterns of names."""
    (schema["additionalProperties"],) = schema.pop("patternProperties").values()
    schema.pop("propertyNames", None)


_REMOTE_NAME = Annotated[str, Field(max_length=MAX_TEXT, pattern=TEXT_PATTERN)]
_URL = Annotated[str, Field(max_length=MAX_URL, pattern=TEXT_PATTERN)]


class ReportedStatus(Reported):
    """The status of a checkout, as `GET /repos/{repo_id}/status` returns that of a repo."""

    observed_at: Annotated[
        UtcTime, Field(description="When the checkout was inspected, by the machine's clock.")
    ]
    state: Annotated[
        RepoState, Field(description="The state of the directory.", examples=["dirty"])
    ]
    reason: Annotated[
        str | None,
        text(
            "Explains what is unknown, and what exists only there; otherwise null.",
            "The repository is bare.",
            MAX_REASON,
        ),
    ]
    branch: Annotated[str | None, text("The checked-out branch; null if on none.", "main")]
    head: Annotated[
        ReportedHead | None,
        Field(
            description="The checked-out commit; null before the first commit.",
            examples=[
                {
                    "id": _COMMIT,
                    "subject": "Note G: Bernoulli numbers",
                    "author": "Ada Lovelace",
                    "authored_at": _TIME,
                }
            ],
        ),
    ]
    upstream: Annotated[
        str | None, text("The upstream of the branch; null without one.", "origin/main")
    ]
    ahead: Annotated[
        _Count | None,
        _count("The number of commits that the upstream lacks; null without an upstream.", 1),
    ]
    behind: Annotated[
        _Count | None,
        _count("The number of upstream commits that the branch lacks; null likewise.", 0),
    ]
    staged: Annotated[_Count, _count("The number of files that differ between HEAD and index.", 1)]
    modified: Annotated[_Count, _count("The number of files that differ from the index.", 2)]
    untracked: Annotated[_Count, _count("The number of files that are not tracked.", 0)]
    conflicted: Annotated[_Count, _count("The number of files with a conflict.", 0)]
    stashes: Annotated[_Count, _count("The number of stashes.", 0)]
    operation: Annotated[
        Operation | None,
        Field(description="The operation in progress; null without one.", examples=["rebase"]),
    ]
    remotes: Annotated[
        dict[_REMOTE_NAME, _URL],
        Field(
            max_length=MAX_REMOTES,
            fail_fast=True,
            description="The remotes by name, each with its address.",
            json_schema_extra=_map_of_texts,
            examples=[{"origin": "https://git.example.org/ada/engine.git"}],
        ),
    ]
    unpushed_commits: Annotated[
        _Count | None,
        _count("How many commits are on no remote-tracking branch; null if unknown.", 3),
    ]
    work: Annotated[
        list[ReportedWorkItem],
        Field(
            max_length=MAX_WORK,
            fail_fast=True,
            description="The branches, and the detached HEADs and tags with unpushed commits; at"
            " most 500.",
        ),
    ]
    work_truncated: Annotated[bool, _flag("Whether `work` is not complete.", example=False)]
    worktrees: Annotated[
        list[ReportedWorktree],
        Field(
            max_length=MAX_WORKTREES,
            fail_fast=True,
            description="The other worktrees of the repository; at most 500.",
        ),
    ]
    at_risk: Annotated[
        bool | None,
        _flag("Whether something exists only there; null if undetermined.", example=True),
    ]
    as_of: Annotated[
        ReportedKnowledge | None,
        Field(
            description="Where the knowledge of the remote comes from; null without a remote.",
            examples=[{"source": "fetch", "at": _TIME}],
        ),
    ]
    main_repository: Annotated[
        str | None,
        text(
            "The repository to which this linked worktree belongs; otherwise null.",
            "/home/ada/dev/engine",
            MAX_PATH,
        ),
    ]
    changed_since: Annotated[
        UtcTime | None,
        _since(
            "Since when, at least, files are changed, an operation is in progress, or a submodule"
            " has work; null if unknown, or without any."
        ),
    ] = None
    stashed_since: Annotated[
        UtcTime | None,
        _since("When the oldest stash was created; null if unknown, or without any."),
    ] = None

"""The schema of a report."""

from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field

from symphony.api.fields import WHOLE_NUMBER
from symphony.api.machines.reported_status import (
    MAX_PATH,
    MAX_REMOTES,
    MAX_URL,
    Reported,
    ReportedStatus,
    commit,
    text,
)
from symphony.api.problems.validation_errors import PATH_PATTERN, TEXT_PATTERN
from symphony.domain.errors import RuleBroken
from symphony.domain.git.credentials import without_credentials
from symphony.domain.git.status import Head, LinkedWorktree, RepoStatus
from symphony.domain.git.work import RemoteKnowledge, WorkItem
from symphony.domain.machines.checkouts import (
    MAX_CHECKOUTS,
    MAX_REMOTE_HEADS,
    MAX_ROOT_COMMITS,
    Checkout,
    CheckoutRemote,
    RemoteHead,
    Report,
)

MAX_BYTES = 4_194_304
"""Of a report, also when it is decompressed."""
_MAX_ROOTS = 100


def _few(value: object) -> object:
    """Refuse too many checkouts before they are read: of millions, each would have an error."""
    if isinstance(value, list) and len(cast("list[object]", value)) > MAX_CHECKOUTS:
        raise RuleBroken("too-long", f"Must have at most {MAX_CHECKOUTS:,} items.")
    return cast("object", value)


class ReportedRemote(Reported):
    """A remote of a checkout."""

    name: Annotated[str, text("Its name.", "origin")]
    url: Annotated[
        str,
        text(
            "Its address; a password in it is removed.",
            "git@git.example.org:ada/engine.git",
            MAX_URL,
        ),
    ]


class ReportedRemoteHead(Reported):
    """A remote-tracking branch of a checkout."""

    remote: Annotated[str, text("The name of the remote.", "origin")]
    branch: Annotated[str, text("The name of the branch there.", "main")]
    head: Annotated[str, commit("The id of its commit.")]


class ReportedCheckout(Reported):
    """A directory with a git repository, or a linked worktree of one."""

    path: Annotated[
        str,
        Field(
            description="Its absolute path on the machine, unique in the report.",
            examples=["/home/ada/dev/engine"],
            max_length=MAX_PATH,
            pattern=PATH_PATTERN,
        ),
    ]
    remotes: Annotated[
        list[ReportedRemote],
        Field(max_length=MAX_REMOTES, fail_fast=True, description="Its remotes; at most 100."),
    ]
    root_commits: Annotated[
        list[Annotated[str, commit("The id of a commit without parents.")]],
        Field(
            max_length=MAX_ROOT_COMMITS,
            fail_fast=True,
            description="The ids of commits without parents; at most 20.",
            examples=[["3b18e512dba79e4c8300dd08aeb37f8e728b8dad"]],
        ),
    ]
    remote_heads: Annotated[
        list[ReportedRemoteHead],
        Field(
            max_length=MAX_REMOTE_HEADS,
            fail_fast=True,
            description="Its remote-tracking branches; at most 2,000.",
        ),
    ]
    status: Annotated[ReportedStatus, Field(description="The result of its inspection.")]


class ReportBody(Reported):
    """What a machine has: all of its checkouts."""

    sequence: Annotated[
        int,
        Field(
            ge=0,
            le=2**63 - 1,
            description="The number of the report, larger than that of the machine's last one.",
            examples=[1_795_000_000_000],
        ),
        WHOLE_NUMBER,
    ]
    roots: Annotated[
        list[Annotated[str, Field(max_length=MAX_PATH, pattern=TEXT_PATTERN)]],
        Field(
            max_length=_MAX_ROOTS,
            fail_fast=True,
            description="The directories that were searched; at most 100.",
            examples=[["/home/ada/dev"]],
        ),
    ]
    checkouts: Annotated[
        list[ReportedCheckout],
        Field(
            fail_fast=True,
            description="The checkouts; at most 1,000.",
            json_schema_extra={"maxItems": MAX_CHECKOUTS},
        ),
        BeforeValidator(_few),
    ]

    def report(self) -> Report:
        """Return the report, without the credentials in addresses of remotes."""
        return Report(
            sequence=self.sequence, roots=self.roots, checkouts=list(map(_checkout, self.checkouts))
        )


def _checkout(sent: ReportedCheckout) -> Checkout:
    return Checkout(
        path=sent.path,
        remotes=[CheckoutRemote(each.name, without_credentials(each.url)) for each in sent.remotes],
        root_commits=sent.root_commits,
        remote_heads=[
            RemoteHead(each.remote, each.branch, each.head) for each in sent.remote_heads
        ],
        status=_status(sent.status),
    )


def _status(sent: ReportedStatus) -> RepoStatus:
    others: dict[str, Any] = {
        "head": sent.head and Head(**sent.head.__dict__),
        "remotes": {name: without_credentials(url) for name, url in sent.remotes.items()},
        "work": [WorkItem(**each.__dict__) for each in sent.work],
        "worktrees": [LinkedWorktree(**each.__dict__) for each in sent.worktrees],
        "as_of": sent.as_of and RemoteKnowledge(sent.as_of.source, sent.as_of.at),
    }
    return RepoStatus(**(sent.__dict__ | others))
